//! The LM3S6965, a Cortex-M3 of Stellaris: its clocks, time, and sleep. Written after the data sheet, tried under QEMU.

#[cfg(feature = "embassy")]
pub mod asynchronous;
#[cfg(feature = "ethernet")]
mod mac;
mod uart;

use crate::register::Register;
use cortex_m::Peripherals;
use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{NVIC, SCB, SYST};
use cortex_m_rt::{ExceptionFrame, exception};
use martlet::state::Instant;

pub use cortex_m_rt::entry;
#[cfg(feature = "ethernet")]
pub use mac::Mac;
pub use uart::Uart;

/// What there is on the board, one of each.
pub struct Board {
    /// The time.
    pub clock: Clock,
    /// The serial port.
    pub uart: Uart,
    /// The network.
    #[cfg(feature = "ethernet")]
    pub mac: Mac,
}

/// Starts the board. Only the first call gives it.
pub fn start() -> Option<Board> {
    let peripherals = Peripherals::take()?;
    run_at_50_mhz();
    power_devices();
    prepare_sleep();
    Some(Board {
        clock: Clock::new(peripherals.SYST),
        uart: Uart::new(SYSTEM_HZ),
        #[cfg(feature = "ethernet")]
        mac: Mac::new(),
    })
}

/// Begins anew.
pub fn reset() -> ! {
    SCB::sys_reset()
}

const SYSTEM_HZ: u32 = 50_000_000;
const CYCLES_A_MILLISECOND: u32 = SYSTEM_HZ / 1000;

/// Registers of the system control.
mod system {
    use super::Register;

    // SAFETY: they are there, and are about clocks alone.
    pub(super) const STATUS: Register<u32> = unsafe { Register::at(0x400f_e050) };
    pub(super) const CLOCK: Register<u32> = unsafe { Register::at(0x400f_e060) };
    pub(super) const POWER_1: Register<u32> = unsafe { Register::at(0x400f_e104) };
    pub(super) const POWER_2: Register<u32> = unsafe { Register::at(0x400f_e108) };

    pub(super) const PLL_LOCKED: u32 = 1 << 6;
    pub(super) const BYPASS: u32 = 1 << 11;
    /// Main oscillator with its 8 MHz crystal, PLL on, its 200 MHz divided by 4.
    pub(super) const CRYSTAL_8_MHZ: u32 = 0xe << 6;
    pub(super) const DIVIDED_BY_4: u32 = 3 << 23 | 1 << 22;

    pub(super) const UART_0_AND_TIMER_0: u32 = 1 | 1 << 16;
    pub(super) const PORT_A: u32 = 1;
    #[cfg(feature = "ethernet")]
    pub(super) const MAC_AND_PHY: u32 = 1 << 28 | 1 << 30;
}

/// From the internal oscillator, which is off by as much as a third, to the PLL behind the crystal.
fn run_at_50_mhz() {
    let clock = system::CRYSTAL_8_MHZ | system::DIVIDED_BY_4;
    system::CLOCK.write(clock | system::BYPASS);
    while system::STATUS.read() & system::PLL_LOCKED == 0 {}
    system::CLOCK.write(clock);
}

fn power_devices() {
    system::POWER_1.write(system::UART_0_AND_TIMER_0);
    #[cfg(not(feature = "ethernet"))]
    system::POWER_2.write(system::PORT_A);
    #[cfg(feature = "ethernet")]
    system::POWER_2.write(system::PORT_A | system::MAC_AND_PHY);
    // A device may be used some cycles after it has got its clock.
    cortex_m::asm::delay(16);
}

/// Where SysTick begins anew, counting down.
const COUNTS: u32 = 1 << 24;

/// The time since the start. Ask it three times a second at least: SysTick begins anew so often.
pub struct Clock {
    count: u32,
    /// Cycles that make no whole millisecond yet.
    cycles: u32,
    now: u64,
}

impl Clock {
    fn new(mut timer: SYST) -> Self {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(COUNTS - 1);
        timer.clear_current();
        timer.enable_counter();
        Self { count: 0, cycles: 0, now: 0 }
    }

    /// Milliseconds since the start.
    pub fn now(&mut self) -> Instant {
        let count = SYST::get_current();
        // In 32 bits, in which this chip divides.
        let cycles = self.cycles + self.count.wrapping_sub(count) % COUNTS;
        self.count = count;
        self.cycles = cycles % CYCLES_A_MILLISECOND;
        self.now += u64::from(cycles / CYCLES_A_MILLISECOND);
        Instant(self.now)
    }
}

/// The lines of devices that end a sleep.
#[derive(Clone, Copy)]
enum Line {
    Uart0 = 5,
    Timer0 = 19,
    #[cfg(feature = "ethernet")]
    Ethernet = 42,
}

// SAFETY: the numbers are the data sheet's.
unsafe impl InterruptNumber for Line {
    fn number(self) -> u16 {
        self as u16
    }
}

/// Timer 0, which ends each sleep after a millisecond.
mod alarm {
    use super::Register;

    // SAFETY: they are there, and reach no memory.
    pub(super) const MODE: Register<u32> = unsafe { Register::at(0x4003_0004) };
    pub(super) const CONTROL: Register<u32> = unsafe { Register::at(0x4003_000c) };
    pub(super) const INTERRUPTS: Register<u32> = unsafe { Register::at(0x4003_0018) };
    pub(super) const SEEN: Register<u32> = unsafe { Register::at(0x4003_0024) };
    pub(super) const CYCLES: Register<u32> = unsafe { Register::at(0x4003_0028) };

    pub(super) const PERIODIC: u32 = 2;
    pub(super) const ON: u32 = 1;
    pub(super) const PASSED: u32 = 1;
}

/// Interrupts end sleeps, and nothing else: none is ever taken, so that nobody shares anything with anyone.
fn prepare_sleep() {
    cortex_m::interrupt::disable();
    alarm::MODE.write(alarm::PERIODIC);
    alarm::CYCLES.write(CYCLES_A_MILLISECOND - 1);
    alarm::INTERRUPTS.write(alarm::PASSED);
    alarm::CONTROL.write(alarm::ON);
}

/// Sleeps until `line` asks for attention or a millisecond has passed; not at all if there is something to do.
///
/// A line that asks after `is_idle` has answered is pending, and then there is no sleep.
fn sleep(line: Line, is_idle: impl FnOnce() -> bool) {
    alarm::SEEN.write(alarm::PASSED);
    let is_idle = is_idle();
    for line in [line, Line::Timer0] {
        // Of a line that still asks this changes nothing.
        NVIC::unpend(line);
        // SAFETY: no handler is ever called.
        unsafe { NVIC::unmask(line) };
    }
    if is_idle {
        cortex_m::asm::wfi();
    }
}

#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    reset()
}

/// Octets of RAM that nothing has ever used: how far the stack has not come, yet.
pub fn untouched_ram() -> usize {
    unsafe extern "C" {
        static _stack_end: u32;
        static _stack_start: u32;
    }
    let (mut word, end) = (&raw const _stack_end, &raw const _stack_start);
    let begin = word as usize;
    // SAFETY: all between the two is RAM; what is below the stack pointer belongs to nobody, and the rest is not painted.
    while word < end && unsafe { word.read_volatile() } == cortex_m_rt::STACK_PAINT_VALUE {
        word = word.wrapping_add(1);
    }
    word as usize - begin
}
