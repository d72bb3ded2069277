//! Registration of methods.

use crate::arguments::Arguments;
use crate::error::RpcError;
use jsonrpsee::core::SubscriptionError;
use jsonrpsee::server::{PendingSubscriptionSink, RegisterMethodError};
use jsonrpsee::types::Params;
use jsonrpsee::{Methods, RpcModule};
use serde::Serialize;
use std::sync::Arc;

/// A set of methods with a common context.
///
/// ```
/// use parhelion_rpc::{Arguments, Module, RpcError};
/// use std::sync::Arc;
///
/// async fn add(arguments: Arguments, offset: Arc<u64>) -> Result<u64, RpcError> {
///     Ok(*offset + arguments.require::<u64>(0)?)
/// }
///
/// let mut module = Module::new(Arc::new(40_u64));
/// module.method("example_add", 1, add)?;
/// let methods = module.into_methods(); // for `Services::extensions`
/// # Ok::<(), parhelion_rpc::RegisterMethodError>(())
/// ```
pub struct Module<C>(RpcModule<C>);

impl<C: Send + Sync + 'static> Module<C> {
    /// No methods yet; each will get `context`.
    #[must_use]
    pub fn new(context: Arc<C>) -> Self {
        Self(RpcModule::from_arc(context))
    }

    /// Adds a method that takes at most `arguments_max` arguments.
    ///
    /// # Errors
    /// A method of this name exists already.
    pub fn method<H, F, R>(
        &mut self,
        name: &'static str,
        arguments_max: usize,
        handler: H,
    ) -> Result<&mut Self, RegisterMethodError>
    where
        H: Fn(Arguments, Arc<C>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<R, RpcError>> + Send,
        R: Serialize + Clone + Send + 'static,
    {
        self.0.register_async_method(name, move |params, context, _| {
            let handler = handler.clone();
            async move { handler(Arguments::parse(params.as_str(), arguments_max)?, context).await }
        })?;
        Ok(self)
    }

    /// Adds a subscription: how it begins, what its notifications are called, and how it ends.
    pub(crate) fn subscription<H, F>(
        &mut self,
        subscribe: &'static str,
        notification: &'static str,
        unsubscribe: &'static str,
        handler: H,
    ) -> Result<(), RegisterMethodError>
    where
        H: Fn(Params<'static>, PendingSubscriptionSink, Arc<C>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<(), SubscriptionError>> + Send + 'static,
    {
        self.0.register_subscription(
            subscribe,
            notification,
            unsubscribe,
            move |params, pending, context, _| handler(params, pending, context),
        )?;
        Ok(())
    }

    /// The methods, for [`crate::Services::extensions`].
    #[must_use]
    pub fn into_methods(self) -> Methods {
        self.0.into()
    }
}
