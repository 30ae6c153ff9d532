//! The word that was probably meant.

/// The one of `known` that `written` is most likely a slip of, if any is near:
/// one change in three characters, a swap of neighbours counting as one.
pub(crate) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Nobody slips into a word of this length, and the comparison costs its
    // square.
    if written.len() > 64 {
        return None;
    }
    let written_low = written.to_lowercase().replace('-', "_");
    known
        .into_iter()
        .map(|word| {
            (
                distance(&written_low, &word.to_lowercase().replace('-', "_")),
                word,
            )
        })
        .filter(|(distance, word)| *distance <= (word.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many characters have to be inserted, removed, replaced or swapped with
/// their neighbour to turn `a` into `b`, each part being changed once only.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_char = None;
    for (row, a_char) in a.chars().enumerate() {
        let mut next = vec![row + 1];
        for (column, b_char) in b.iter().enumerate() {
            let replaced = last[column] + usize::from(a_char != *b_char);
            let mut best = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            let is_swap =
                column > 0 && previous_char == Some(*b_char) && b.get(column - 1) == Some(&a_char);
            if is_swap && let Some(before) = before_last.get(column - 1) {
                best = best.min(before + 1);
            }
            next.push(best);
        }
        previous_char = Some(a_char);
        before_last = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["every", "timeout", "targets", "id", "stale_after"];
        for (written, expected) in [
            ("evry", Some("every")),
            ("eveyr", Some("every")),
            ("Timeout", Some("timeout")),
            ("time_out", Some("timeout")),
            ("target", Some("targets")),
            ("stale-after", Some("stale_after")),
            ("ID", Some("id")),
            ("interval", None),
            ("", None),
            ("xy", None),
        ] {
            assert_eq!(nearest(written, known), expected, "{written}");
        }
    }

    #[test]
    fn the_distance_is_that_of_the_table() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "ba", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
