//! A firmware without a protocol: what any firmware has, to be taken off the figures of the others.
#![no_std]
#![no_main]

use martlet_embedded_link::port;

static mut INPUT: [u8; 256] = [0; 256];

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing else names it, and this is called once.
    let input = unsafe { &mut *(&raw mut INPUT) };
    port::keep_memory_functions(input);
    loop {
        let came = port::read(input);
        port::write(input.get(..came).unwrap_or_default());
    }
}
