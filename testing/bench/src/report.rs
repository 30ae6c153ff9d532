//! The table and the file.

use std::path::PathBuf;

use anyhow::Context as _;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::figure::{Figure, Findings, Goal};
use crate::machine::Machine;
use crate::places::Places;

/// What one benchmark found, for people.
pub(crate) fn table(bench: &str, findings: &Findings) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([bench, "", "", "goal", "met"]);
    for figure in &findings.figures {
        table.add_row([
            figure.name.clone(),
            rounded(figure.value),
            figure.unit.to_owned(),
            goal(figure),
            met(figure).to_owned(),
        ]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = table.to_string();
    for note in &findings.notes {
        text.push_str("\nnote: ");
        text.push_str(note);
    }
    text
}

/// Writes all that was found and returns where.
pub(crate) fn write(
    places: &Places,
    machine: &Machine,
    all: &[(&str, Findings)],
) -> anyhow::Result<PathBuf> {
    let benches: Vec<Value> = all
        .iter()
        .map(|(name, findings)| {
            let figures: Vec<Value> = findings.figures.iter().map(as_json).collect();
            json!({ "name": name, "figures": figures, "notes": findings.notes })
        })
        .collect();
    let whole = json!({ "machine": machine.json(), "benches": benches });
    let file = places.results.join("results.json");
    std::fs::write(&file, format!("{whole:#}\n"))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

fn as_json(figure: &Figure) -> Value {
    json!({
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "goal": figure.goal.map(|goal| match goal {
            Goal::AtMost(most) => json!({ "at_most": most }),
            Goal::AtLeast(least) => json!({ "at_least": least }),
        }),
        "met": figure.met(),
        "how": figure.how,
    })
}

fn goal(figure: &Figure) -> String {
    match figure.goal {
        Some(Goal::AtMost(most)) => format!("≤ {}", rounded(most)),
        Some(Goal::AtLeast(least)) => format!("≥ {}", rounded(least)),
        None => String::new(),
    }
}

fn met(figure: &Figure) -> &'static str {
    match figure.met() {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "",
    }
}

/// Three significant digits or so: more would promise too much.
fn rounded(value: f64) -> String {
    let whole = value.round().total_cmp(&value).is_eq();
    match value.abs() {
        size if size >= 100.0 || (whole && size >= 1.0) || size == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_goal_stands_out() {
        let mut findings = Findings::default();
        findings.add(Figure::new("check", 21.3, "µs", "how").at_most(20.0));
        findings.add(Figure::new("rate", 23_456.7, "1/s", "how").at_least(20_000.0));
        findings.note("curl is not installed");
        let text = table("sandbox", &findings);
        let line = |start: &str| {
            text.lines()
                .find(|line| line.trim().starts_with(start))
                .unwrap()
                .to_owned()
        };
        assert!(
            line("check").contains("21.3")
                && line("check").contains("≤ 20")
                && line("check").contains("NO")
        );
        assert!(line("rate").contains("23457") && line("rate").contains("yes"));
        assert!(text.ends_with("note: curl is not installed"));
    }
}
