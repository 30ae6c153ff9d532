//! What the server says: the format of Prometheus's HTTP API.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use watchkeeper_sdk::expect::excerpt;
use watchkeeper_sdk::http::Response;
use watchkeeper_sdk::{Error, Stop};

/// What a query gave.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Answer {
    /// The values, in the order in which they came.
    pub samples: Vec<Sample>,
    /// What the server has to say besides.
    pub warnings: Vec<String>,
}

/// The value of one series.
#[derive(Debug, PartialEq)]
pub(crate) struct Sample {
    /// The series, as PromQL has it: `up{job="api"}`; empty for a scalar.
    pub series: String,
    /// Its value; may be infinite or `NaN`.
    pub value: f64,
}

#[derive(Deserialize)]
struct Body {
    status: String,
    #[serde(default)]
    data: Option<Data>,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Value,
}

#[derive(Deserialize)]
struct Element {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    /// Absent where the series holds native histograms.
    value: Option<(f64, String)>,
}

/// Takes the values out of an answer. A query that cannot work is misconfigured,
/// one that failed for now is undecided, a server that answers otherwise dead.
pub(crate) fn read(response: &Response, limit: u64) -> Result<Answer, Stop> {
    let status = response.status();
    let body: Body = match response.json() {
        Ok(body) => body,
        Err(Error::TooLarge(_)) => return Err(crate::too_large(limit)),
        Err(_) if !response.is_success() => {
            let text = String::from_utf8_lossy(response.start());
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            return Err(Stop::Dead(match words.as_str() {
                "" => format!("status {status}"),
                words => format!("status {status}: {}", excerpt(words)),
            }));
        }
        Err(error) => return Err(error.into()),
    };
    if body.status != "success" {
        let why = match body.error.as_str() {
            "" => format!("status {status}"),
            error => excerpt_of(error),
        };
        return Err(match body.error_type.as_str() {
            // It cannot be parsed.
            "bad_data" => {
                let why = why
                    .strip_prefix(r#"invalid parameter "query": "#)
                    .unwrap_or(&why);
                Stop::Misconfigured(format!("config.query: {why}"))
            }
            // It can be, but not be worked out: for what there is now, or at all.
            "execution" => Stop::Undecided(format!("the query failed: {why}")),
            _ => Stop::Dead(why),
        });
    }
    let data = body.data.ok_or_else(|| unexpected("no data"))?;
    let samples = match data.kind.as_str() {
        "scalar" => vec![Sample {
            series: String::new(),
            value: scalar(&data.result)?,
        }],
        "vector" => {
            let elements = Vec::<Element>::deserialize(&data.result)
                .map_err(|error| unexpected(&error.to_string()))?;
            elements
                .into_iter()
                .map(sample)
                .collect::<Result<_, Stop>>()?
        }
        other => {
            return Err(Stop::Misconfigured(format!(
                "config.query: gives a {other}; an instant vector or a scalar is needed"
            )));
        }
    };
    Ok(Answer {
        samples,
        warnings: body.warnings,
    })
}

fn sample(element: Element) -> Result<Sample, Stop> {
    let series = name(&element.metric);
    let Some((_, value)) = element.value else {
        return Err(Stop::Misconfigured(format!(
            "config.query: {series} is a histogram: ask for its count, sum or a quantile"
        )));
    };
    Ok(Sample {
        value: number(&value)?,
        series,
    })
}

fn scalar(result: &Value) -> Result<f64, Stop> {
    let (_, value) =
        <(f64, String)>::deserialize(result).map_err(|error| unexpected(&error.to_string()))?;
    number(&value)
}

/// As the API writes them: `1.5`, `NaN`, `+Inf`.
fn number(text: &str) -> Result<f64, Stop> {
    text.parse()
        .map_err(|_| unexpected(&format!("{:?} is no number", excerpt(text))))
}

/// The series as PromQL has it.
fn name(labels: &BTreeMap<String, String>) -> String {
    let metric = labels.get("__name__").map_or("", String::as_str);
    let pairs: Vec<String> = labels
        .iter()
        .filter(|(label, _)| *label != "__name__")
        .map(|(label, value)| format!("{label}={value:?}"))
        .collect();
    if pairs.is_empty() {
        metric.to_owned()
    } else {
        format!("{metric}{{{}}}", pairs.join(", "))
    }
}

fn unexpected(what: &str) -> Stop {
    Stop::Dead(format!("the answer is none of Prometheus: {what}"))
}

/// Longer than of a value: where the mistake is in a query stands at the end.
fn excerpt_of(error: &str) -> String {
    const LENGTH: usize = 300;
    error.chars().take(LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, expected: &str) {
        let found = match read(&Response::new(status, &[], body), 1000) {
            Ok(answer) => answer
                .samples
                .iter()
                .map(|sample| format!("{}={}", sample.series, sample.value))
                .collect::<Vec<_>>()
                .join(" "),
            Err(stop) => format!("{stop:?}"),
        };
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn values_are_read() {
        check(
            200,
            r#"{"status":"success","data":{"resultType":"vector","result":[
                {"metric":{"__name__":"up","job":"a\"b","instance":"x:1"},"value":[1.5,"1"]},
                {"metric":{},"value":[1,"NaN"]},{"metric":{"__name__":"n"},"value":[1,"+Inf"]}]}}"#,
            r#"up{instance="x:1", job="a\"b"}=1 =NaN n=inf"#,
        );
        check(
            200,
            r#"{"status":"success","warnings":["w"],"data":{"resultType":"scalar","result":[1700000000.1,"-2.5"]}}"#,
            "=-2.5",
        );
        check(
            200,
            r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
            "",
        );
    }

    #[test]
    fn what_is_wrong_is_told_from_what_failed() {
        check(
            400,
            r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:4: parse error: x"}"#,
            r#"Misconfigured("config.query: 1:4: parse error: x")"#,
        );
        check(
            422,
            r#"{"status":"error","errorType":"execution","error":"found duplicate series"}"#,
            r#"Undecided("the query failed: found duplicate series")"#,
        );
        check(
            503,
            r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
            r#"Dead("query timed out")"#,
        );
        check(503, r#"{"status":"error"}"#, r#"Dead("status 503")"#);
        check(401, "Unauthorized\n", r#"Dead("status 401: Unauthorized")"#);
        check(404, "", r#"Dead("status 404")"#);
    }

    #[test]
    fn what_is_no_instant_value_is_a_mistake() {
        check(
            200,
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
            r#"Misconfigured("config.query: gives a matrix; an instant vector or a scalar is needed")"#,
        );
        check(
            200,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"h"},"histogram":[1,{}]}]}}"#,
            r#"Misconfigured("config.query: h is a histogram: ask for its count, sum or a quantile")"#,
        );
    }

    #[test]
    fn other_servers_are_dead() {
        check(
            200,
            "<html>",
            r#"Dead("the answer is not the JSON expected: expected value at line 1 column 1")"#,
        );
        check(
            200,
            r#"{"status":"success"}"#,
            r#"Dead("the answer is none of Prometheus: no data")"#,
        );
        check(
            200,
            r#"{"status":"success","data":{"resultType":"scalar","result":[1,"x"]}}"#,
            r#"Dead("the answer is none of Prometheus: \"x\" is no number")"#,
        );
    }
}
