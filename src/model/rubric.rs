//! Rubric texts: `{text_prompt}` becomes the instruction, by the rules of Python's `str.format` that the published rubrics
//! are written for. Any other field is refused, since it would be an error there too.

const FIELD: &str = "text_prompt";

/// `rubric` with `instruction` in place of each `{text_prompt}`, and `{{`, `}}` as single braces. What is wrong with the
/// rubric otherwise.
pub(super) fn fill(rubric: &str, instruction: &str) -> Result<String, String> {
    let mut out = String::with_capacity(rubric.len() + instruction.len());
    let mut rest = rubric;
    while let Some(at) = rest.find(['{', '}']) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        if tail.starts_with("{{") || tail.starts_with("}}") {
            out.push_str(&tail[..1]);
            rest = &tail[2..];
        } else if tail.starts_with('}') {
            return Err("a single '}' in the text; write '}}' for a brace".to_owned());
        } else {
            let field = tail[1..].split_once('}').map(|(field, _)| field);
            match field {
                Some(FIELD) => out.push_str(instruction),
                Some(field) => {
                    return Err(format!(
                        "unknown field '{{{field}}}'; only '{{{FIELD}}}' is filled in, write '{{{{' for a brace"
                    ));
                }
                None => return Err("a '{' that is never closed; write '{{' for a brace".to_owned()),
            }
            rest = &tail[FIELD.len() + 2..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// What is wrong with `rubric`, if anything: it must be well formed and hold the instruction.
pub(super) fn check(rubric: &str) -> Result<(), String> {
    let marker = "\u{1}";
    if fill(rubric, marker)?.contains(marker) {
        Ok(())
    } else {
        Err(format!(
            "no '{{{FIELD}}}' in it, so the model would never see the instruction"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instruction_goes_in_as_it_is_and_doubled_braces_become_single() {
        assert_eq!(
            fill("a {{b}} {text_prompt}} }", "{x}").unwrap_err(),
            "a single '}' in the text; write '}}' for a brace"
        );
        assert_eq!(
            fill("é {{b}} {text_prompt} {{{text_prompt}}}", "{x}}").unwrap(),
            "é {b} {x}} {{x}}}"
        );
    }

    #[test]
    fn what_python_would_refuse_is_refused() {
        for rubric in [
            "{",
            "}",
            "{}",
            "{0}",
            "{text}",
            "{text_prompt",
            "{ text_prompt }",
        ] {
            assert!(fill(rubric, "x").is_err(), "{rubric}");
        }
    }

    #[test]
    fn a_rubric_that_drops_the_instruction_is_refused() {
        assert!(check("rate this").is_err());
        assert!(check("{{text_prompt}}").is_err());
        assert!(check("rate {text_prompt}").is_ok());
    }
}
