//! Waiting: the clock that requests are timed and held back by, how long to wait before another try, and the pace that all
//! threads keep together. Time is behind a trait, so that tests wait for nothing.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use super::chance::draw;
use super::held;

/// The longest wait before the second try; each further try may wait twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(500);

/// The longest wait of our own choosing.
const LONGEST: Duration = MINUTE;

const MINUTE: Duration = Duration::from_mins(1);

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// Time since some moment in the past.
    fn now(&self) -> Duration;

    /// Returns after a while, or as soon as `stop` is rung.
    fn wait(&self, time: Duration, stop: &Stop);
}

/// The time of day-to-day life.
#[derive(Debug)]
pub struct RealClock(Instant);

impl RealClock {
    /// That counts from now.
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for RealClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&self, time: Duration, stop: &Stop) {
        stop.wait(time);
    }
}

/// A bell that ends all waiting at once.
#[derive(Debug, Default)]
pub struct Stop {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Stop {
    /// Rings it, for good.
    pub fn ring(&self) {
        *held(&self.rung) = true;
        self.bell.notify_all();
    }

    /// Whether it was rung.
    pub fn is_rung(&self) -> bool {
        *held(&self.rung)
    }

    /// Returns after that time, or as soon as it is rung; whether it is.
    pub fn wait(&self, time: Duration) -> bool {
        let rung = held(&self.rung);
        match self.bell.wait_timeout_while(rung, time, |rung| !*rung) {
            Ok((rung, _)) => *rung,
            Err(poisoned) => *poisoned.into_inner().0,
        }
    }
}

/// How long to wait before the try after `tries` failed ones: evenly drawn between nothing and a limit that doubles (full
/// jitter), so that threads that failed together do not come back together. The same seed and question draw the same.
pub fn backoff(seed: u64, question: &str, tries: u32) -> Duration {
    let limit = FIRST
        .saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1)))
        .min(LONGEST);
    let drawn = draw([&seed.to_string(), question, &tries.to_string()]);
    limit.mul_f64(drawn as f64 / u64::MAX as f64)
}

/// When the next request may start, for all threads together.
#[derive(Debug)]
pub struct Pace {
    gap: Duration,
    next: Mutex<Duration>,
}

impl Pace {
    /// So many starts a minute, evenly spaced; without a number, as many as come.
    pub fn new(per_minute: Option<u32>) -> Self {
        let gap = per_minute.map_or(Duration::ZERO, |n| MINUTE / n.max(1));
        Self {
            gap,
            next: Mutex::new(Duration::ZERO),
        }
    }

    /// Waits for one's turn.
    pub fn take_turn(&self, clock: &dyn Clock, stop: &Stop) {
        let now = clock.now();
        let turn = {
            let mut next = held(&self.next);
            let turn = (*next).max(now);
            *next = turn.saturating_add(self.gap);
            turn
        };
        let wait = turn.saturating_sub(now);
        if !wait.is_zero() {
            clock.wait(wait, stop);
        }
    }

    /// Nobody's turn comes before `time`.
    pub fn hold_off(&self, time: Duration) {
        let mut next = held(&self.next);
        *next = (*next).max(time);
    }
}

/// How long a server asks to wait: the value of `Retry-After`, in seconds or as a date, which counts from the date that the
/// answer itself bears, so that clocks which differ do not matter (RFC 9110, sections 5.6.7 and 10.2.3).
pub(super) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let (then, now) = (seconds_of(value)?, seconds_of(date?)?);
    Some(Duration::from_secs(
        u64::try_from(then - now).unwrap_or_default(),
    ))
}

/// Seconds since 1970 of a date as HTTP writes it: `Wed, 21 Oct 2015 07:28:00 GMT`.
fn seconds_of(date: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    /// Days from 1 March of the year 0 to 1 January 1970.
    const TO_1970: i64 = 719_468;
    let mut words = date.split_whitespace().skip(1);
    let day: i64 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|m| *m == name)? as i64 + 1;
    let year: i64 = words.next()?.parse().ok()?;
    let mut time = words.next()?.split(':').map(str::parse::<i64>);
    let mut part = || time.next()?.ok();
    let (hour, minute, second) = (part()?, part()?, part()?);
    if !(1970..=9999).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    // Days by the civil calendar, whose year begins in March so that the leap day comes last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some((days - TO_1970) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Rings the bell when it is dropped, so that threads come to their end also where whoever waits for them panics.
#[derive(Debug)]
pub struct RingAtEnd<'a>(pub &'a Stop);

impl Drop for RingAtEnd<'_> {
    fn drop(&mut self) {
        self.0.ring();
    }
}

#[cfg(test)]
pub(crate) mod fake {
    //! A clock that stands still but for the waiting, which takes no time.

    use super::{Clock, Duration, Mutex, Stop, held};

    #[derive(Default)]
    pub(crate) struct FakeClock {
        now: Mutex<Duration>,
        waits: Mutex<Vec<Duration>>,
    }

    impl FakeClock {
        pub(crate) fn waits(&self) -> Vec<Duration> {
            held(&self.waits).clone()
        }
    }

    impl Clock for FakeClock {
        fn now(&self) -> Duration {
            *held(&self.now)
        }

        fn wait(&self, time: Duration, _stop: &Stop) {
            *held(&self.now) += time;
            held(&self.waits).push(time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::FakeClock;
    use super::*;

    #[test]
    fn thirty_a_minute_start_two_seconds_apart() {
        let (clock, stop) = (FakeClock::default(), Stop::default());
        let pace = Pace::new(Some(30));
        for _ in 0..4 {
            pace.take_turn(&clock, &stop);
        }
        assert_eq!(clock.waits(), [Duration::from_secs(2); 3]);
        pace.hold_off(clock.now() + Duration::from_secs(30));
        pace.take_turn(&clock, &stop);
        assert_eq!(clock.waits()[3], Duration::from_secs(30));
    }

    #[test]
    fn without_a_pace_only_a_server_that_asks_for_it_is_waited_for() {
        let (clock, stop) = (FakeClock::default(), Stop::default());
        let pace = Pace::new(None);
        for _ in 0..9 {
            pace.take_turn(&clock, &stop);
        }
        assert_eq!(clock.waits().len(), 0);
        pace.hold_off(Duration::from_secs(7));
        pace.take_turn(&clock, &stop);
        pace.take_turn(&clock, &stop);
        assert_eq!(clock.waits(), [Duration::from_secs(7)]);
    }

    #[test]
    fn waits_before_another_try_grow_to_a_limit_and_come_again_from_the_seed() {
        let longest = |tries| {
            (0..200)
                .map(|seed| backoff(seed, "q", tries))
                .max()
                .unwrap()
        };
        for (tries, limit) in [(1, 0.5), (2, 1.0), (4, 4.0), (9, 60.0), (99, 60.0)] {
            let longest = longest(tries).as_secs_f64();
            assert!(
                longest <= limit && longest > 0.9 * limit,
                "{tries}: {longest}"
            );
        }
        assert_eq!(backoff(1, "q", 3), backoff(1, "q", 3));
        assert_ne!(backoff(1, "q", 3), backoff(1, "r", 3));
    }

    #[test]
    fn a_server_says_how_long_to_wait_in_seconds_or_by_a_date() {
        let seconds = |n| Some(Duration::from_secs(n));
        let date = Some("Tue, 29 Feb 2028 23:59:30 GMT");
        assert_eq!(retry_after("7", None), seconds(7));
        assert_eq!(retry_after(" 0.5 ", None), Some(Duration::from_millis(500)));
        assert_eq!(
            retry_after("Wed, 01 Mar 2028 00:01:00 GMT", date),
            seconds(90)
        );
        assert_eq!(
            retry_after("Mon, 28 Feb 2028 00:00:00 GMT", date),
            seconds(0)
        );
        assert_eq!(retry_after("Wed, 01 Mar 2028 00:01:00 GMT", None), None);
        assert_eq!(seconds_of("Thu, 01 Jan 1970 00:00:01 GMT"), Some(1));
        assert_eq!(
            seconds_of("Wed, 21 Oct 2015 07:28:00 GMT"),
            Some(1_445_412_480)
        );
        for nonsense in ["soon", "-3", "NaN", "Wed, 32 Oct 2015 07:28:00 GMT", ""] {
            assert_eq!(retry_after(nonsense, date), None, "{nonsense}");
        }
    }

    #[test]
    fn the_bell_ends_a_wait() {
        let (clock, stop) = (RealClock::new(), Stop::default());
        std::thread::scope(|scope| {
            scope.spawn(|| clock.wait(Duration::from_hours(1), &stop));
            stop.ring();
        });
        assert!(stop.is_rung() && clock.now() < Duration::from_hours(1));
    }
}
