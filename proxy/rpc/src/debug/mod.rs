//! `debug_*`, a file a family.

mod prestate;
mod raw;
mod trace;
mod tracer;

use crate::module::Module;
use crate::services::Context;
use jsonrpsee::Methods;
use jsonrpsee::server::RegisterMethodError;
use std::sync::Arc;

pub(crate) fn methods(context: &Arc<Context>) -> Result<Methods, RegisterMethodError> {
    let mut module = Module::new(context.clone());
    raw::register(&mut module)?;
    trace::register(&mut module)?;
    Ok(module.into_methods())
}
