//! `GET /v1/models` and `GET /v1/models/{id}`.

use serde::{Deserialize, Serialize};

/// One model as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelObject {
    /// What goes into `model` of a request.
    pub id: String,
    /// Always `model`.
    #[serde(default = "model")]
    pub object: String,
    /// Unix time in seconds.
    #[serde(default)]
    pub created: u64,
    /// Who offers it.
    #[serde(default)]
    pub owned_by: String,
}

/// All models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelList {
    /// Always `list`.
    #[serde(default = "list")]
    pub object: String,
    /// The models.
    pub data: Vec<ModelObject>,
}

impl ModelObject {
    /// A model with the fixed member set.
    pub fn new(id: impl Into<String>, created: u64, owned_by: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            object: model(),
            created,
            owned_by: owned_by.into(),
        }
    }
}

impl ModelList {
    /// A list with the fixed member set.
    pub fn new(data: Vec<ModelObject>) -> Self {
        Self {
            object: list(),
            data,
        }
    }
}

fn model() -> String {
    "model".into()
}

fn list() -> String {
    "list".into()
}
