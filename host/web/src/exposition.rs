//! OpenMetrics text as the older Prometheus text format, for those who do not ask
//! for OpenMetrics.

use std::fmt::Write as _;

/// The older format, version 0.0.4, of an OpenMetrics text.
///
/// The older format has no units, no `info` and no end mark, and there a counter
/// is called what its samples are called, `_total` included.
pub(crate) fn text_format(open_metrics: &str) -> String {
    let mut out = String::with_capacity(open_metrics.len());
    let mut lines = open_metrics.lines().peekable();
    while let Some(line) = lines.next() {
        let mut words = line.splitn(4, ' ');
        let written = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), Some(help)) => {
                // The type follows the help, and with it the name's ending.
                let kind = lines
                    .peek()
                    .and_then(|next| next.strip_prefix("# TYPE "))
                    .unwrap_or_default();
                writeln!(out, "# HELP {name}{} {help}", ending(kind))
            }
            (Some("#"), Some("TYPE"), Some(name), Some("info")) => {
                writeln!(out, "# TYPE {name}_info gauge")
            }
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let of = format!("{name} {kind}");
                let kind = if kind == "unknown" { "untyped" } else { kind };
                writeln!(out, "# TYPE {name}{} {kind}", ending(&of))
            }
            (Some("#"), Some("UNIT" | "EOF"), ..) => Ok(()),
            _ => writeln!(out, "{line}"),
        };
        // Writing to a string cannot fail.
        debug_assert!(written.is_ok());
    }
    out
}

/// What the samples of a family have that its name has not; `of` is `name type`.
fn ending(of: &str) -> &'static str {
    match of.rsplit_once(' ') {
        Some((_, "counter")) => "_total",
        Some((_, "info")) => "_info",
        _ => "",
    }
}

/// The metrics without the lines in which all labels of one of `private` stand.
pub(crate) fn for_public(metrics: &str, private: &[Vec<String>]) -> String {
    if private.is_empty() {
        return metrics.to_owned();
    }
    let is_private = |line: &str| {
        private
            .iter()
            .any(|labels| labels.iter().all(|label| line.contains(label.as_str())))
    };
    let mut public = String::with_capacity(metrics.len());
    for line in metrics.lines().filter(|line| !is_private(line)) {
        public.push_str(line);
        public.push('\n');
    }
    public
}

#[cfg(test)]
mod tests {
    use super::{for_public, text_format};

    #[test]
    fn what_the_older_format_lacks_is_said_otherwise() {
        let open_metrics = "\
# HELP a_build The version.
# TYPE a_build info
a_build_info{version=\"1\"} 1
# HELP a_cpu_seconds Time.
# TYPE a_cpu_seconds counter
# UNIT a_cpu_seconds seconds
a_cpu_seconds_total{p=\"# EOF\"} 1.5
# HELP a_depth How deep.
# TYPE a_depth gauge
a_depth 2
# EOF
";
        let text = "\
# HELP a_build_info The version.
# TYPE a_build_info gauge
a_build_info{version=\"1\"} 1
# HELP a_cpu_seconds_total Time.
# TYPE a_cpu_seconds_total counter
a_cpu_seconds_total{p=\"# EOF\"} 1.5
# HELP a_depth How deep.
# TYPE a_depth gauge
a_depth 2
";
        assert_eq!(text_format(open_metrics), text);
    }

    #[test]
    fn what_is_private_is_left_out() {
        let metrics = "# TYPE a gauge\na{service=\"s\",monitor=\"m\"} 1\na{service=\"s\",monitor=\"n\"} 2\na{service=\"t\",monitor=\"m\"} 3\n# EOF\n";
        let labels = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let shown = for_public(metrics, &[labels(&["service=\"s\"", "monitor=\"m\""])]);
        assert!(
            !shown.contains("} 1") && shown.contains("} 2") && shown.contains("} 3"),
            "{shown}"
        );
        let shown = for_public(metrics, &[labels(&["service=\"s\""])]);
        assert!(
            !shown.contains("} 1") && !shown.contains("} 2") && shown.ends_with("# EOF\n"),
            "{shown}"
        );
        assert_eq!(for_public(metrics, &[]), metrics);
    }
}
