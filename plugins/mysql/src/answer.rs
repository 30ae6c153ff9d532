//! Reading a query's answer, packet by packet.

use serde_json::Value;
use watchkeeper_sdk::database::Answer;
use watchkeeper_sdk::{Stop, number_or_text};

use crate::packet::{Cell, Fields, malformed, stop_of};

/// An answer of which some packets came.
#[derive(Debug, Default)]
pub(crate) struct Reader<'a> {
    /// The name of the column that counts; none: the first does.
    wanted: Option<&'a str>,
    part: Part,
    column: Option<Column>,
    answer: Answer,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default)]
enum Part {
    #[default]
    Head,
    /// The description of a column, and how many came before it and are left.
    Columns {
        before: u64,
        left: u64,
    },
    EndOfColumns,
    Rows,
}

/// The column that counts.
#[derive(Clone, Copy, Debug)]
struct Column {
    /// How many are before it.
    index: u64,
    is_number: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(wanted: Option<&'a str>) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    /// Takes the next packet. The answer, once it is whole.
    pub(crate) fn take(&mut self, payload: &[u8]) -> Result<Option<Answer>, Stop> {
        let mut fields = Fields(payload);
        if payload.first() == Some(&0xff) {
            fields.u8();
            return Err(stop_of(fields));
        }
        // Shorter than a row whose first value has eight bytes for its length.
        let is_end = payload.first() == Some(&0xfe) && payload.len() < 9;
        match self.part {
            Part::Head => match payload.first() {
                // Done, with nothing found.
                Some(0) => return Ok(Some(std::mem::take(&mut self.answer))),
                Some(0xfb) => return Err(malformed("the server asks for a file")),
                _ => {
                    let left = fields
                        .integer()
                        .ok_or_else(|| malformed("no count of columns"))?;
                    self.part = Part::Columns { before: 0, left };
                    self.answer.rows = Some(0);
                }
            },
            Part::Columns { before, left } => {
                let (name, kind) =
                    name_and_kind(fields).ok_or_else(|| malformed("a column without a type"))?;
                let counts = match self.wanted {
                    Some(wanted) => wanted.as_bytes().eq_ignore_ascii_case(name),
                    None => before == 0,
                };
                if counts && self.column.is_none() {
                    self.column = Some(Column {
                        index: before,
                        is_number: is_number(kind),
                    });
                }
                self.part = match left.saturating_sub(1) {
                    0 => Part::EndOfColumns,
                    left => Part::Columns {
                        before: before + 1,
                        left,
                    },
                };
            }
            Part::EndOfColumns if is_end => self.part = Part::Rows,
            Part::EndOfColumns => return Err(malformed("columns without an end")),
            Part::Rows if is_end => return Ok(Some(std::mem::take(&mut self.answer))),
            Part::Rows => {
                let rows = self.answer.rows.get_or_insert(0);
                *rows += 1;
                if *rows == 1 {
                    self.answer.value = Some(self.value(fields)?);
                }
            }
        }
        Ok(None)
    }

    fn value(&self, mut fields: Fields<'_>) -> Result<Value, Stop> {
        let Some(Column { index, is_number }) = self.column else {
            let wanted = self.wanted.unwrap_or_default();
            return Err(Stop::Misconfigured(format!(
                "config.column: the answer has no column {wanted}"
            )));
        };
        let cut_off = || malformed("a row that is cut off");
        for _ in 0..index {
            fields.value().ok_or_else(cut_off)?;
        }
        let Cell::Text(bytes) = fields.value().ok_or_else(cut_off)? else {
            return Ok(Value::Null);
        };
        let text = String::from_utf8_lossy(bytes);
        Ok(if is_number {
            number_or_text(&text)
        } else {
            Value::String(text.into_owned())
        })
    }
}

/// After the names of catalogue, schema, table (as it is called in the query, and
/// is) and column (the same) come the character set, the width, and the type.
fn name_and_kind(mut fields: Fields<'_>) -> Option<(&[u8], u8)> {
    for _ in 0..4 {
        fields.text()?;
    }
    let name = fields.text()?;
    let _name_in_table = fields.text()?;
    let _length_of_what_follows = fields.u8()?;
    let _character_set_and_width = fields.bytes(6)?;
    Some((name, fields.u8()?))
}

/// Decimal, the integers, the floating-point numbers, year.
fn is_number(kind: u8) -> bool {
    matches!(kind, 0..=5 | 8 | 9 | 13 | 246)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const LONG: u8 = 3;
    const VARCHAR: u8 = 253;
    const END: &[u8] = b"\xfe\0\0\x02\0";

    fn column(name: &str, kind: u8) -> Vec<u8> {
        let mut payload = b"\x03def\0\0\0".to_vec();
        payload.push(u8::try_from(name.len()).unwrap());
        payload.extend_from_slice(name.as_bytes());
        payload.extend_from_slice(b"\0\x0c\x3f\0\x0b\0\0\0");
        payload.extend_from_slice(&[kind, 0, 0, 0, 0, 0]);
        payload
    }

    fn read(packets: &[&[u8]], column: Option<&str>) -> Result<Option<Answer>, Stop> {
        let mut reader = Reader::new(column);
        for packet in packets {
            if let Some(answer) = reader.take(packet)? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    #[test]
    fn the_first_value_and_the_rows_are_found() {
        let (number, text) = (column("n", LONG), column("t", VARCHAR));
        let check = |packets: &[&[u8]], value, rows| {
            let expected = Answer { value, rows };
            assert_eq!(read(packets, None).unwrap().unwrap(), expected);
        };
        check(&[b"\0\x01\0\x02\0\0\0"], None, None);
        check(&[b"\x01", &number, END, END], None, Some(0));
        check(
            &[b"\x01", &number, END, b"\x0242", b"\x0243", END],
            Some(json!(42)),
            Some(2),
        );
        check(
            &[b"\x01", &text, END, b"\x0242", END],
            Some(json!("42")),
            Some(1),
        );
        check(
            &[b"\x02", &text, &number, END, b"\xfb\x011", END],
            Some(json!(null)),
            Some(1),
        );
        assert_eq!(
            read(&[b"\x01", &number, END, b"\x0242"], None).unwrap(),
            None
        );
    }

    #[test]
    fn a_column_may_be_named() {
        let (text, number) = (column("State", VARCHAR), column("Lag", LONG));
        let packets: &[&[u8]] = &[b"\x02", &text, &number, END, b"\xfb\x0242", END];
        let answer = read(packets, Some("lag")).unwrap().unwrap();
        assert_eq!(answer.value, Some(json!(42)));
        assert_eq!(
            read(packets, Some("delay")).unwrap_err(),
            Stop::Misconfigured("config.column: the answer has no column delay".to_owned())
        );
    }

    #[test]
    fn errors_may_come_at_any_time() {
        let number = column("n", LONG);
        for (packets, expected) in [
            (
                &[&b"\xff\x7a\x04#42S02no table"[..]][..],
                "error 1146: no table",
            ),
            (
                &[b"\x01", &number, END, b"\xff\xb1\x07#70100interrupted"],
                "error 1969: interrupted",
            ),
            (
                &[b"\xfbfile"],
                "this is not MySQL: the server asks for a file",
            ),
            (&[b""], "this is not MySQL: no count of columns"),
            (
                &[b"\x01", b"\x05a"],
                "this is not MySQL: a column without a type",
            ),
            (
                &[b"\x01", &number, b"\x0242"],
                "this is not MySQL: columns without an end",
            ),
            (
                &[b"\x01", &number, END, b"\x0542"],
                "this is not MySQL: a row that is cut off",
            ),
        ] {
            assert_eq!(
                read(packets, None).unwrap_err(),
                Stop::Dead(expected.to_owned())
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8)) {
            let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
            drop(read(&packets, None));
            drop(read(&packets, Some("a")));
        }
    }
}
