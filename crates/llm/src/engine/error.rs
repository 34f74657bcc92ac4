//! Why a model file cannot be used, or a generation not be made.

/// Errors of the embedded engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first four bytes are not `GGUF`.
    #[error("not a GGUF file: it must start with the letters GGUF")]
    NotGguf,
    /// A version of the format we do not read, or a big-endian file.
    #[error("GGUF version {0} is not supported, only 2 and 3 (little-endian)")]
    Version(u32),
    /// The file ends inside something it announced.
    #[error("the file ends inside {0}; it is cut off or damaged")]
    Truncated(&'static str),
    /// The bytes contradict the format.
    #[error("damaged GGUF file: {0}")]
    Malformed(String),
    /// A metadata key the model cannot do without.
    #[error("metadata key `{0}` is missing")]
    MissingKey(String),
    /// A metadata key with a value that cannot be meant.
    #[error("metadata key `{key}` is {value}, it must be {expected}")]
    BadKey {
        /// The key.
        key: String,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A tensor the model cannot do without.
    #[error("tensor `{0}` is missing")]
    MissingTensor(String),
    /// A tensor whose shape contradicts the metadata; dimensions fastest first.
    #[error("tensor `{name}` has shape {actual:?}, the metadata say {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// What the metadata imply.
        expected: Vec<usize>,
        /// What the file holds.
        actual: Vec<usize>,
    },
    /// The file needs something this engine does not do.
    #[error("this engine cannot run the model: {0}")]
    Unsupported(String),
    /// The model's chat template fails on these messages.
    #[error("the model's chat template refuses the messages: {0}")]
    Template(String),
    /// The file has no chat template.
    #[error("the model has no chat template; use completions with a prompt instead")]
    NoTemplate,
    /// The tokenizer has no token for a byte of the text.
    #[error("the model's vocabulary has no token for `{0}`")]
    NoToken(String),
    /// A token id outside the vocabulary.
    #[error("token {token} is outside the vocabulary of {vocabulary}")]
    TokenRange {
        /// The id given.
        token: u32,
        /// Size of the vocabulary.
        vocabulary: usize,
    },
    /// The prompt leaves no room for an answer; counts are tokens.
    #[error("the prompt has {prompt} tokens, the context {context}; one must be left to answer")]
    ContextLength {
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens of the context.
        context: usize,
    },
    /// The prompt is empty and the model has no token to start with.
    #[error("the prompt is empty")]
    EmptyPrompt,
    /// Whoever asked does not want the answer any more.
    #[error("cancelled")]
    Cancelled,
}

/// Short form.
pub type Result<T> = std::result::Result<T, Error>;
