//! What gogoproto's options say of a field's form, looked up once.

use std::collections::HashMap;
use std::sync::OnceLock;

use prost_reflect::{DynamicMessage, FieldDescriptor, Value};

use crate::descriptor_pool;

/// The form of a field beyond its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// Encoded and printed even when unset.
    pub(crate) always: bool,
    /// A number held as text.
    pub(crate) number: Option<Number>,
}

/// Numbers that the reference keeps as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    /// A whole number of any size; both forms are its digits.
    Whole,
    /// A decimal of 18 places; JSON shows the point.
    Decimal,
}

/// The form of a field.
pub(crate) fn form(field: &FieldDescriptor) -> Form {
    static FORMS: OnceLock<HashMap<String, Form>> = OnceLock::new();
    FORMS
        .get_or_init(forms)
        .get(field.full_name())
        .copied()
        .unwrap_or_default()
}

/// Of all fields that have any.
fn forms() -> HashMap<String, Form> {
    let pool = descriptor_pool();
    let nullable = pool.get_extension_by_name("gogoproto.nullable");
    let customtype = pool.get_extension_by_name("gogoproto.customtype");
    let option = |options: &DynamicMessage, extension: &Option<_>| {
        let extension = extension.as_ref()?;
        options
            .has_extension(extension)
            .then(|| options.get_extension(extension).into_owned())
    };
    let mut out = HashMap::new();
    for message in pool.all_messages() {
        for field in message.fields() {
            let options = field.options();
            let number = match option(&options, &customtype) {
                Some(Value::String(name)) if name.ends_with(".LegacyDec") => Some(Number::Decimal),
                Some(Value::String(name)) if name.ends_with(".Int") => Some(Number::Whole),
                _ => None,
            };
            let form = Form {
                always: option(&options, &nullable) == Some(Value::Bool(false)),
                number,
            };
            if form != Form::default() {
                out.insert(field.full_name().to_owned(), form);
            }
        }
    }
    out
}
