//! What a server says of itself.

use serde_json::{Number, Value};
use watchkeeper_sdk::number_or_text;

/// The answer to `INFO`: lines of `field:value`, between them headings and gaps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Info<'a>(pub(crate) &'a str);

impl<'a> Info<'a> {
    /// The field of that name, or of `db0.keys` the part of `db0`.
    pub(crate) fn field(self, name: &str) -> Option<Value> {
        if let Some(text) = self.text(name) {
            return Some(number_or_text(text));
        }
        let (field, part) = name.split_once('.')?;
        let parts = self.text(field)?.split(',');
        let mut named = parts.filter_map(|pair| pair.split_once('='));
        let (_, text) = named.find(|(key, _)| *key == part)?;
        Some(number_or_text(text))
    }

    /// The share of the memory that may be used which is; none where the server
    /// does not say.
    pub(crate) fn memory_used(self) -> Option<Value> {
        let bytes = |name| self.text(name)?.parse::<f64>().ok();
        let is_set = |bytes: &f64| *bytes > 0.0;
        let most = bytes("maxmemory").filter(is_set);
        let most = most.or_else(|| bytes("total_system_memory").filter(is_set))?;
        Number::from_f64(bytes("used_memory")? / most).map(Value::Number)
    }

    fn text(self, name: &str) -> Option<&'a str> {
        let fields = self.0.lines().filter_map(|line| line.split_once(':'));
        let mut named = fields.filter(|(field, _)| *field == name);
        named.next().map(|(_, text)| text.trim())
    }
}

/// What the field counts, by what its name says.
pub(crate) fn unit_of(field: &str) -> &'static str {
    let ends = |ends: &[&str]| ends.iter().any(|end| field.ends_with(end));
    if ends(&["_ratio", "_perc"]) {
        "ratio"
    } else if field.starts_with("used_memory") || ends(&["_bytes", "maxmemory", "_memory"]) {
        "bytes"
    } else if ends(&["_seconds", "_seconds_ago", "_sec", "lag"]) {
        "seconds"
    } else if ends(&["_slaves", "_replicas"]) {
        "replicas"
    } else if ends(&["_clients"]) {
        "clients"
    } else if ends(&["keys"]) {
        "keys"
    } else {
        "units"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INFO: Info<'_> = Info(
        "# Memory\r\nused_memory:250\r\nmaxmemory:1000\r\n\r\n# Replication\r\nrole:master\r\n\
         connected_slaves:1\r\nslave0:ip=10.0.0.2,port=6379,state=online,offset=14,lag=3\r\n\
         # Keyspace\r\ndb0:keys=7,expires=0,avg_ttl=0\r\n",
    );

    #[test]
    fn fields_and_their_parts_are_found() {
        for (name, expected) in [
            ("role", Some(json!("master"))),
            ("connected_slaves", Some(json!(1))),
            ("db0.keys", Some(json!(7))),
            ("slave0.state", Some(json!("online"))),
            ("slave0.lag", Some(json!(3))),
            ("db1.keys", None),
            ("db0.size", None),
            ("# Memory", None),
        ] {
            assert_eq!(INFO.field(name), expected, "{name}");
        }
    }

    #[test]
    fn memory_is_a_share_of_what_may_be_used() {
        assert_eq!(INFO.memory_used(), Some(json!(0.25)));
        let unlimited = "used_memory:250\r\nmaxmemory:0\r\ntotal_system_memory:500\r\n";
        assert_eq!(Info(unlimited).memory_used(), Some(json!(0.5)));
        assert_eq!(
            Info("used_memory:250\r\nmaxmemory:0\r\n").memory_used(),
            None
        );
    }

    #[test]
    fn units_are_what_names_say() {
        for (field, expected) in [
            ("used_memory_rss", "bytes"),
            ("uptime_in_seconds", "seconds"),
            ("master_last_io_seconds_ago", "seconds"),
            ("mem_fragmentation_ratio", "ratio"),
            ("connected_slaves", "replicas"),
            ("db0.keys", "keys"),
            ("rdb_changes_since_last_save", "units"),
        ] {
            assert_eq!(unit_of(field), expected, "{field}");
        }
    }
}
