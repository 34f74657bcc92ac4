mod model;
mod oracle;
