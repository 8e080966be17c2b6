//! Timers that call closures, and closures that other threads have a worker call.

mod common;

use common::{PATIENCE, Running, TEXT, settings};
use martlet_std::{ConnId, Context, Frame, Handler, PushError};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc::channel;

/// Does with time what the message says.
struct Timely;

impl Handler for Timely {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        let say = move |text: &'static str| move |ctx: &mut Context<'_>| ctx.push(id, text).unwrap();
        match frame.text().unwrap() {
            "after" => {
                ctx.after(20, say("second"));
                ctx.after(10, say("first"));
                let never = ctx.after(0, say("never"));
                assert!(ctx.clear_timer(never) && !ctx.clear_timer(never));
            }
            "tick" => {
                let (count, own) = (Cell::new(0), Rc::new(Cell::new(None)));
                let known = Rc::clone(&own);
                own.set(Some(ctx.tick(5, move |ctx| {
                    count.set(count.get() + 1);
                    ctx.push(id, format!("tick {}", count.get()).as_str()).unwrap();
                    match count.get() {
                        // Neither of these ends anything but the call.
                        1 => panic!("a mistake in a tick"),
                        3 => assert!(ctx.clear_timer(known.get().unwrap())),
                        _ => {}
                    }
                })));
            }
            "defer" => {
                ctx.defer(move |ctx| {
                    ctx.push(id, "deferred").unwrap();
                    ctx.defer(say("deferred again"));
                });
                ctx.push(id, "at once").unwrap();
            }
            other => ctx.push(id, other).unwrap(),
        }
    }
}

#[test]
fn after_calls_a_closure_once_in_the_order_of_time_and_clear_timer_prevents_it() {
    let server = Running::start(settings(1), |_| Timely);
    let mut client = server.client();
    client.frame(TEXT, b"after");
    client.expect(TEXT, b"first");
    client.expect(TEXT, b"second");
    client.close();
}

#[test]
fn a_tick_goes_on_after_a_panic_and_until_it_clears_itself() {
    let server = Running::start(settings(1), |_| Timely);
    let mut client = server.client();
    client.frame(TEXT, b"tick");
    for text in ["tick 1", "tick 2", "tick 3"] {
        client.expect(TEXT, text.as_bytes());
    }
    // The next one would be due before this.
    client.frame(TEXT, b"after");
    client.expect(TEXT, b"first");
    client.expect(TEXT, b"second");
    client.close();
}

#[test]
fn what_is_deferred_comes_behind_what_is_at_hand() {
    let server = Running::start(settings(1), |_| Timely);
    let mut client = server.client();
    client.frame(TEXT, b"defer");
    for text in ["at once", "deferred", "deferred again"] {
        client.expect(TEXT, text.as_bytes());
    }
    client.close();
}

#[test]
fn run_on_reaches_each_worker_and_what_it_starts_there_goes_on() {
    let server = Running::start(settings(3), |_| Timely);
    let (tell, told) = channel();
    for worker in 0..3 {
        let tell = tell.clone();
        server
            .handle
            .run_on(worker, move |ctx| {
                assert_eq!(ctx.worker(), worker);
                ctx.after(1, move |ctx| tell.send(ctx.worker()).unwrap());
            })
            .unwrap();
        server.handle.run_on(worker, |_| panic!("a mistake from another thread")).unwrap();
    }
    let mut workers: Vec<_> = (0..3).map(|_| told.recv_timeout(PATIENCE).unwrap()).collect();
    workers.sort_unstable();
    assert_eq!(workers, [0, 1, 2]);
    assert_eq!(server.handle.run_on(200, |_| {}), Err(PushError::Gone));
    let handle = server.handle.clone();
    server.handle.stop();
    server.join();
    assert_eq!(handle.run_on(0, |_| {}), Err(PushError::Gone));
}
