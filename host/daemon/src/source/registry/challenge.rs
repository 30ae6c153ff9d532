//! How a registry says what it wants to see.

/// What a `WWW-Authenticate` header says (RFC 9110 section 11.6.1), one challenge
/// to a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// In lower case.
    pub(super) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Reads the header's value; none where it is no challenge.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, mut rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.is_empty() {
            return None;
        }
        let mut parameters = Vec::new();
        while let Some((name, after)) = rest.split_once('=') {
            let name = name.trim_matches([' ', ',', '\t']).to_ascii_lowercase();
            let (value, next) = match after.trim_start().strip_prefix('"') {
                Some(quoted) => unquoted(quoted)?,
                None => match after.split_once(',') {
                    Some((value, next)) => (value.trim().to_owned(), next),
                    None => (after.trim().to_owned(), ""),
                },
            };
            parameters.push((name, value));
            rest = next;
        }
        Some(Self {
            scheme: scheme.to_ascii_lowercase(),
            parameters,
        })
    }

    /// The value of a parameter, by its name in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The quoted text that begins here without its quote, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = Challenge::parse(
            r#"Bearer realm="https://auth.example/token",service="r.example",scope="repository:a/b:pull,push""#,
        )
        .unwrap();
        assert_eq!(bearer.scheme, "bearer");
        assert_eq!(bearer.get("realm"), Some("https://auth.example/token"));
        assert_eq!(bearer.get("scope"), Some("repository:a/b:pull,push"));
        let basic = Challenge::parse(r#"basic realm="a \"b\"" , charset=UTF-8"#).unwrap();
        assert_eq!(basic.get("realm"), Some("a \"b\""));
        assert_eq!(basic.get("charset"), Some("UTF-8"));
        assert_eq!(Challenge::parse(r#"Bearer realm="never ends"#), None);
        assert_eq!(Challenge::parse(""), None);
    }
}
