//! An echo over the core behind four functions, for a host that has nothing but them and the memory: no socket, clock or random number.
#![no_std]

use core::panic::PanicInfo;
use martlet::state::{Accept, Config, Connection, Event, Inbox, Instant, Outbox, Status};

static CONFIG: Config<'static> = Config::DEFAULT;

/// A connection and its buffers.
struct Page {
    connection: Connection<'static>,
    inbox: Inbox<&'static mut [u8]>,
    outbox: Outbox<&'static mut [u8]>,
}

static mut PAGE: Option<Page> = None;
static mut INPUT: [u8; 16 * 1024] = [0; 16 * 1024];
static mut OUTPUT: [u8; 32 * 1024] = [0; 32 * 1024];

fn page() -> &'static mut Page {
    // SAFETY: a module without shared memory has one thread, and no function here has more than one of these at a time.
    unsafe { &mut *(&raw mut PAGE) }.get_or_insert_with(fresh)
}

fn fresh() -> Page {
    // SAFETY: the page that had them is gone: this is called only when there is none.
    let (input, output) = unsafe { (&mut *(&raw mut INPUT), &mut *(&raw mut OUTPUT)) };
    Page {
        connection: Connection::server(&CONFIG, Instant(0)),
        inbox: Inbox::new(&mut input[..]),
        outbox: Outbox::new(&mut output[..]),
    }
}

/// Begins a new connection.
#[unsafe(no_mangle)]
pub extern "C" fn begin() {
    // SAFETY: as above.
    unsafe { PAGE = None };
    #[cfg(feature = "provoke")]
    host::provoke();
}

/// Where so many octets of what came are to be put; null if there is no room for them.
#[unsafe(no_mangle)]
pub extern "C" fn room(len: usize) -> *mut u8 {
    page().inbox.room().get_mut(..len).map_or(core::ptr::null_mut(), <[u8]>::as_mut_ptr)
}

/// Takes the octets that were put there at so many milliseconds; says how many there are to be sent, or -1 when there is no sense in going on.
#[unsafe(no_mangle)]
pub extern "C" fn receive(len: usize, now_ms: u64) -> i32 {
    let Page { connection, inbox, outbox } = page();
    let now = Instant(now_ms);
    inbox.filled(len);
    loop {
        let answered = match connection.advance::<()>(now, inbox, outbox) {
            Ok(Status::Event(Event::Request { .. })) => {
                outbox.write(|writer| connection.accept(now, &Accept::default(), writer))
            }
            Ok(Status::Event(Event::Data(data))) => {
                outbox.write(|writer| connection.send_piece(data.kind(), data.payload(), data.is_last(), writer))
            }
            Ok(Status::Event(_)) => Ok(()),
            // Also after a fault: the Close that names it is to be sent.
            Ok(Status::More) | Err(_) => return i32::try_from(outbox.waiting().len()).unwrap_or(-1),
            Ok(Status::NoRoom(_)) => return -1,
        };
        if answered.is_err() {
            return -1;
        }
    }
}

/// What is to be sent, which is then gone: look at once.
#[unsafe(no_mangle)]
pub extern "C" fn take() -> *const u8 {
    let waiting = page().outbox.waiting().as_ptr();
    page().outbox.sent(usize::MAX);
    waiting
}

#[cfg(feature = "provoke")]
mod host {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        fn now() -> u64;
    }

    pub(crate) fn provoke() {
        // SAFETY: it takes nothing and gives a number.
        unsafe { now() };
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
