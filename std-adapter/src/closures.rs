//! A handler of closures, for small programs.

use crate::context::Context;
use crate::frame::{Fragment, Frame};
use crate::handler::{Closed, Handler, Timer};
use crate::http::{Answer, Decision, Request};
use crate::id::ConnId;
use crate::server::ServerError;
use crate::settings::Settings;
use core::fmt;
use std::sync::Arc;

/// A closure for each event, in place of a [`Handler`]; see [`Server::run_closures`](crate::Server::run_closures).
///
/// ```no_run
/// use martlet_std::{Closures, Server, ServerError, Settings};
///
/// let echo = Closures::new()
///     .on_open(|_, id, request| println!("{id} came from {}", request.remote()))
///     .on_message(|ctx, id, frame| {
///         let _ = ctx.push(id, frame);
///     })
///     .on_close(|_, id, closed| println!("{id} went with {}", closed.code));
/// Server::bind(Settings::default())?.run_closures(echo)?;
/// # Ok::<(), ServerError>(())
/// ```
///
/// All workers call the same closures, at the same time: what these are to change lies in an `Arc<Mutex<…>>` or an atomic. Who
/// wants state of each worker, without a lock, writes a [`Handler`]. An event without a closure does what it does in a handler
/// that leaves it out; the last closure of an event counts.
#[derive(Default)]
pub struct Closures {
    events: Events,
}

impl Closures {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As a handler for each worker, if there is a closure for all that would be lost otherwise.
    pub(crate) fn complete(self, settings: &Settings) -> Result<Complete, ServerError> {
        let mut listeners = settings.listen.iter().map(|listener| listener.settings.as_deref().unwrap_or(settings));
        let hands_out_messages = |settings: &Settings| {
            !settings.stream_messages
                || settings.open_websocket_close_frame
                || settings.open_websocket_ping_frame
                || settings.open_websocket_pong_frame
        };
        if self.events.message.is_none() && listeners.clone().any(hands_out_messages) {
            return Err(ServerError::NoClosure("message"));
        }
        if self.events.fragment.is_none() && listeners.any(|settings| settings.stream_messages) {
            return Err(ServerError::NoClosure("fragment"));
        }
        Ok(Complete(Arc::new(self.events)))
    }
}

impl fmt::Debug for Closures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present = self.events.present();
        f.debug_set().entries(present.iter().filter(|(_, is_there)| *is_there).map(|(event, _)| event)).finish()
    }
}

/// What all workers call.
#[derive(Clone)]
pub(crate) struct Complete(Arc<Events>);

/// The handler that leaves out what can be left out.
struct Defaults;

impl Handler for Defaults {
    fn message(&mut self, _: &mut Context<'_>, _: ConnId, _: Frame<'_>) {}
}

/// From each event its field, the method that sets it, and the method of [`Handler`] that calls it.
macro_rules! events {
    ($($on:ident sets $event:ident($($arg:ident: $type:ty),*) $(-> $out:ty)?;)*) => {
        #[derive(Default)]
        struct Events {
            $($event: Option<Box<dyn Fn(&mut Context<'_> $(, $type)*) $(-> $out)? + Send + Sync>>,)*
        }

        impl Events {
            /// Which events have a closure.
            fn present(&self) -> Vec<(&'static str, bool)> {
                vec![$((stringify!($event), self.$event.is_some()),)*]
            }
        }

        impl Closures {
            $(
                #[doc = concat!("Calls `f` where [`Handler::", stringify!($event), "`] would be called.")]
                #[must_use]
                pub fn $on(
                    mut self,
                    f: impl Fn(&mut Context<'_> $(, $type)*) $(-> $out)? + Send + Sync + 'static,
                ) -> Self {
                    self.events.$event = Some(Box::new(f));
                    self
                }
            )*
        }

        impl Handler for Complete {
            $(
                fn $event(&mut self, ctx: &mut Context<'_> $(, $arg: $type)*) $(-> $out)? {
                    match &self.0.$event {
                        Some(f) => f(ctx $(, $arg)*),
                        None => Defaults.$event(ctx $(, $arg)*),
                    }
                }
            )*
        }
    };
}

events! {
    on_worker_start sets worker_start();
    on_worker_stop sets worker_stop();
    on_message sets message(id: ConnId, frame: Frame<'_>);
    on_fragment sets fragment(id: ConnId, fragment: Fragment<'_>);
    on_handshake sets handshake(request: &Request<'_>) -> Decision;
    on_open sets open(id: ConnId, request: &Request<'_>);
    on_close sets close(id: ConnId, closed: &Closed<'_>);
    on_buffer_full sets buffer_full(id: ConnId);
    on_drain sets drain(id: ConnId);
    on_request sets request(request: &Request<'_>) -> Answer;
    on_disconnect sets disconnect(id: ConnId);
    on_timer sets timer(timer: Timer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Listener;

    /// A handler's method that had no closure would be left out without a word.
    #[test]
    fn every_event_of_a_handler_has_its_closure() {
        let source = include_str!("handler.rs");
        let events = source.lines().filter_map(|line| line.trim().strip_prefix("fn ")?.split_once("(&mut self"));
        let events: Vec<_> = events.map(|(event, _)| event).collect();
        let present = Closures::new().events.present();
        assert_eq!(events, present.iter().map(|(event, _)| *event).collect::<Vec<_>>());
    }

    #[test]
    fn what_the_settings_hand_out_must_have_its_closure() {
        let plain = Settings::default();
        let streaming = Settings { stream_messages: true, ..Settings::default() };
        let with_pings = Settings { open_websocket_ping_frame: true, ..streaming.clone() };
        let mut both = Settings::default();
        both.listen.push(Listener { settings: Some(Box::new(streaming.clone())), ..both.listen[0].clone() });
        let message = || Closures::new().on_message(|_, _, _| {});
        let fragment = || Closures::new().on_fragment(|_, _, _| {});
        for (settings, closures, missing) in [
            (&plain, Closures::new(), Some("message")),
            (&plain, fragment(), Some("message")),
            (&plain, message(), None),
            (&streaming, Closures::new(), Some("fragment")),
            (&streaming, message(), Some("fragment")),
            (&streaming, fragment(), None),
            (&with_pings, fragment(), Some("message")),
            (&with_pings, fragment().on_message(|_, _, _| {}), None),
            (&both, message(), Some("fragment")),
            (&both, fragment(), Some("message")),
            (&both, fragment().on_message(|_, _, _| {}), None),
        ] {
            let shown = format!("{closures:?}");
            match (closures.complete(settings), missing) {
                (Ok(_), None) => {}
                (Err(ServerError::NoClosure(event)), Some(missing)) => assert_eq!(event, missing, "{shown}"),
                (done, _) => panic!("{shown}: {:?} instead of {missing:?}", done.err()),
            }
        }
    }
}
