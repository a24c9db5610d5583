//! Ages as kubectl shows them: at most two units, coarser the older.

use jiff::Timestamp;
use serde_json::Value;

/// The age of a timestamp; `<unknown>` when there is none.
pub(super) fn age(since: &Value, now: Timestamp) -> String {
    let since: Option<Timestamp> = since.as_str().and_then(|t| t.parse().ok());
    since.map_or_else(
        || "<unknown>".to_owned(),
        |since| span(now.duration_since(since).as_secs()),
    )
}

/// A duration in seconds.
pub(super) fn span(seconds: i64) -> String {
    let two = |large: i64, l: &str, small: i64, s: &str| {
        if small == 0 {
            format!("{large}{l}")
        } else {
            format!("{large}{l}{small}{s}")
        }
    };
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let days = hours / 24;
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => two(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if days < 8 => two(days, "d", hours % 24, "h"),
        _ if days < 730 => format!("{days}d"),
        _ if days < 2_920 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_get_coarser() {
        for (seconds, shown) in [
            (-5, "<invalid>"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (250, "4m10s"),
            (3_600, "60m"),
            (4 * 3_600 + 300, "4h5m"),
            (20 * 3_600, "20h"),
            (3 * 86_400 + 7_200, "3d2h"),
            (400 * 86_400, "400d"),
            (800 * 86_400, "2y70d"),
        ] {
            assert_eq!(span(seconds), shown);
        }
    }
}
