//! `${ … }`: from the parser's tree to ours.

use brush_parser::word::{
    Parameter as Named, ParameterExpr, ParameterTestType, ParameterTransformOp, SpecialParameter,
    SubstringMatchKind,
};

use super::commands::Origin;
use super::words::{Quoting, read as read_word, read_arithmetic, read_operand};
use super::{End, Expansion, Operation, Parameter, SyntaxFault, Which, Word};

fn read_parameter(parameter: Named, here: Origin) -> Result<Parameter, SyntaxFault> {
    Ok(match parameter {
        Named::Positional(number) => Parameter::Positional(usize::try_from(number).unwrap_or(0)),
        Named::Special(special) => Parameter::Special(match special {
            SpecialParameter::AllPositionalParameters { concatenate: true } => '*',
            SpecialParameter::AllPositionalParameters { concatenate: false } => '@',
            SpecialParameter::PositionalParameterCount => '#',
            SpecialParameter::LastExitStatus => '?',
            SpecialParameter::CurrentOptionFlags => '-',
            SpecialParameter::ProcessId => '$',
            SpecialParameter::LastBackgroundProcessId => '!',
            SpecialParameter::ShellName => '0',
        }),
        Named::Named(name) => Parameter::Named(name.into()),
        Named::NamedWithIndex { name, index } => {
            Parameter::Element(name.into(), read_word(&index, here)?)
        }
        Named::NamedWithAllIndices { name, concatenate } => Parameter::All {
            name: name.into(),
            joined: concatenate,
        },
    })
}

/// One `${ … }` or `$name`.
pub(crate) fn read(
    expr: ParameterExpr,
    quoting: Quoting,
    here: Origin,
) -> Result<Expansion, SyntaxFault> {
    use ParameterExpr as P;

    let operand = |text: Option<String>| read_operand(&text.unwrap_or_default(), quoting, here);
    let pattern = |text: Option<String>| read_word(&text.unwrap_or_default(), here);
    let optional = |text: Option<String>| -> Result<Option<Word>, SyntaxFault> {
        text.filter(|text| !text.is_empty())
            .map(|text| read_word(&text, here))
            .transpose()
    };
    let empty = |test: &ParameterTestType| matches!(test, ParameterTestType::UnsetOrNull);
    let (parameter, indirect, operation) = match expr {
        P::Parameter {
            parameter,
            indirect,
        } => (parameter, indirect, Operation::Plain),
        P::UseDefaultValues {
            parameter,
            indirect,
            test_type,
            default_value,
        } => {
            let (empty, word) = (empty(&test_type), operand(default_value)?);
            (parameter, indirect, Operation::Default { empty, word })
        }
        P::AssignDefaultValues {
            parameter,
            indirect,
            test_type,
            default_value,
        } => {
            let (empty, word) = (empty(&test_type), operand(default_value)?);
            (parameter, indirect, Operation::Assign { empty, word })
        }
        P::IndicateErrorIfNullOrUnset {
            parameter,
            indirect,
            test_type,
            error_message,
        } => {
            let word = match error_message {
                Some(text) => Some(operand(Some(text))?),
                None => None,
            };
            let empty = empty(&test_type);
            (parameter, indirect, Operation::Require { empty, word })
        }
        P::UseAlternativeValue {
            parameter,
            indirect,
            test_type,
            alternative_value,
        } => {
            let (empty, word) = (empty(&test_type), operand(alternative_value)?);
            (parameter, indirect, Operation::Alternative { empty, word })
        }
        P::ParameterLength {
            parameter,
            indirect,
        } => (parameter, indirect, Operation::Length),
        P::RemoveSmallestSuffixPattern {
            parameter,
            indirect,
            pattern: text,
        } => {
            let operation = remove(End::End, false, pattern(text)?);
            (parameter, indirect, operation)
        }
        P::RemoveLargestSuffixPattern {
            parameter,
            indirect,
            pattern: text,
        } => {
            let operation = remove(End::End, true, pattern(text)?);
            (parameter, indirect, operation)
        }
        P::RemoveSmallestPrefixPattern {
            parameter,
            indirect,
            pattern: text,
        } => {
            let operation = remove(End::Start, false, pattern(text)?);
            (parameter, indirect, operation)
        }
        P::RemoveLargestPrefixPattern {
            parameter,
            indirect,
            pattern: text,
        } => {
            let operation = remove(End::Start, true, pattern(text)?);
            (parameter, indirect, operation)
        }
        P::Substring {
            parameter,
            indirect,
            offset,
            length,
        } => {
            let offset = read_arithmetic(&offset.value, here)?;
            let length = match length {
                Some(length) => Some(read_arithmetic(&length.value, here)?),
                None => None,
            };
            (parameter, indirect, Operation::Substring { offset, length })
        }
        P::Transform {
            parameter,
            indirect,
            op,
        } => (
            parameter,
            indirect,
            Operation::Transform(transform(&op, here)?),
        ),
        P::UppercaseFirstChar {
            parameter,
            indirect,
            pattern: text,
        } => (parameter, indirect, case(true, false, optional(text)?)),
        P::UppercasePattern {
            parameter,
            indirect,
            pattern: text,
        } => (parameter, indirect, case(true, true, optional(text)?)),
        P::LowercaseFirstChar {
            parameter,
            indirect,
            pattern: text,
        } => (parameter, indirect, case(false, false, optional(text)?)),
        P::LowercasePattern {
            parameter,
            indirect,
            pattern: text,
        } => (parameter, indirect, case(false, true, optional(text)?)),
        P::ReplaceSubstring {
            parameter,
            indirect,
            pattern: text,
            replacement,
            match_kind,
        } => {
            let which = match match_kind {
                SubstringMatchKind::Prefix => Which::AtStart,
                SubstringMatchKind::Suffix => Which::AtEnd,
                SubstringMatchKind::FirstOccurrence => Which::First,
                SubstringMatchKind::Anywhere => Which::All,
            };
            let operation = Operation::Replace {
                which,
                pattern: pattern(Some(text))?,
                replacement: pattern(replacement)?,
            };
            (parameter, indirect, operation)
        }
        P::VariableNames {
            prefix,
            concatenate,
        } => {
            let operation = Operation::Names {
                joined: concatenate,
            };
            (Named::Named(prefix), false, operation)
        }
        P::MemberKeys {
            variable_name,
            concatenate,
        } => {
            let operation = Operation::Keys {
                joined: concatenate,
            };
            (Named::Named(variable_name), false, operation)
        }
    };
    Ok(Expansion {
        parameter: read_parameter(parameter, here)?,
        indirect,
        operation,
    })
}

fn remove(end: End, longest: bool, pattern: Word) -> Operation {
    Operation::Remove {
        end,
        longest,
        pattern,
    }
}

fn case(upper: bool, all: bool, pattern: Option<Word>) -> Operation {
    Operation::Case {
        upper,
        all,
        pattern,
    }
}

fn transform(op: &ParameterTransformOp, here: Origin) -> Result<char, SyntaxFault> {
    Ok(match op {
        ParameterTransformOp::ToUpperCase => 'U',
        ParameterTransformOp::CapitalizeInitial => 'u',
        ParameterTransformOp::ToLowerCase => 'L',
        ParameterTransformOp::Quoted => 'Q',
        ParameterTransformOp::ExpandEscapeSequences => 'E',
        ParameterTransformOp::PromptExpand
        | ParameterTransformOp::ToAssignmentLogic
        | ParameterTransformOp::ToAttributeFlags
        | ParameterTransformOp::PossiblyQuoteWithArraysExpanded { .. } => {
            return Err(here.fault("of the transformations only @U, @u, @L, @Q and @E are known"));
        }
    })
}
