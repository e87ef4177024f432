//! Time zones by the names of places, for `LocalTime` and `ConvertToLocalTime`.
//!
//! The rules of each zone, past and to come, are those of the time zone database that is built
//! in. A place is one of the names of Windows' time zones, a name of the database such as
//! `Europe/Paris`, or `GMT` or `UTC` with or without `+hh:mm`.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Seconds in a day.
const DAY: f64 = 86_400.0;

/// The serial day of 1970-01-01.
const UNIX_EPOCH: f64 = 25_569.0;

/// Whether the clocks' change in summer counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Summer {
    Counted,
    Ignored,
}

/// What to add to a moment in UTC, in days, for the local time of a place; `None` if the place
/// is not known.
pub(crate) fn offset(place: &str, utc: f64, summer: Summer) -> Option<f64> {
    let place = place.trim();
    if let Some(seconds) = fixed(place) {
        return Some(seconds / DAY);
    }
    let known = PLACES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(place));
    let name = known.map_or(place, |(_, zone)| zone);
    if name.len() > 64 {
        return None;
    }
    let zone = TimeZoneDatabase::bundled().get(name).ok()?;
    let moment = ((utc - UNIX_EPOCH) * DAY).round();
    let seconds = match summer {
        Summer::Counted => at(&zone, moment)?.0,
        Summer::Ignored => {
            // Some time in the year before the clocks were back.
            let month = 30.0 * DAY;
            (0..13)
                .map(|months| moment - f64::from(months) * month)
                .filter_map(|moment| at(&zone, moment))
                .find(|(_, is_summer)| !is_summer)
                .or_else(|| at(&zone, moment))?
                .0
        }
    };
    Some(f64::from(seconds) / DAY)
}

/// The offset in seconds at a moment in Unix seconds, and whether summer time counts in it.
fn at(zone: &TimeZone, moment: f64) -> Option<(i32, bool)> {
    if moment.abs() > 1e12 {
        return None;
    }
    let info = zone.to_offset_info(Timestamp::from_second(moment as i64).ok()?);
    Some((info.offset().seconds(), info.dst().is_dst()))
}

/// The seconds of `GMT`, `UTC+01:00` and the like, at most 14 hours, in quarters of an hour.
fn fixed(place: &str) -> Option<f64> {
    let prefix = place.get(..3)?;
    if !prefix.eq_ignore_ascii_case("GMT") && !prefix.eq_ignore_ascii_case("UTC") {
        return None;
    }
    let rest = &place[3..];
    if rest.is_empty() {
        return Some(0.0);
    }
    let sign = match rest.as_bytes()[0] {
        b'+' => 1.0,
        b'-' => -1.0,
        _ => return None,
    };
    let (hours, minutes) = rest.get(1..)?.split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60 && minutes.is_multiple_of(15))
        .then(|| sign * f64::from(hours * 3600 + minutes * 60))
}

/// The places of Windows' list of time zones, and their zones in the database.
const PLACES: &[(&str, &str)] = &[
    ("Abu Dhabi", "Asia/Dubai"),
    ("Adelaide", "Australia/Adelaide"),
    ("Alaska", "America/Anchorage"),
    ("Amsterdam", "Europe/Amsterdam"),
    ("Arizona", "America/Phoenix"),
    ("Astana", "Asia/Almaty"),
    ("Athens", "Europe/Athens"),
    ("Atlantic Time (Canada)", "America/Halifax"),
    ("Auckland", "Pacific/Auckland"),
    ("Azores", "Atlantic/Azores"),
    ("Baghdad", "Asia/Baghdad"),
    ("Baku", "Asia/Baku"),
    ("Bangkok", "Asia/Bangkok"),
    ("Beijing", "Asia/Shanghai"),
    ("Belgrade", "Europe/Belgrade"),
    ("Berlin", "Europe/Berlin"),
    ("Bern", "Europe/Zurich"),
    ("Bogota", "America/Bogota"),
    ("Brasilia", "America/Sao_Paulo"),
    ("Bratislava", "Europe/Bratislava"),
    ("Brisbane", "Australia/Brisbane"),
    ("Brussels", "Europe/Brussels"),
    ("Bucharest", "Europe/Bucharest"),
    ("Budapest", "Europe/Budapest"),
    ("Buenos Aires", "America/Argentina/Buenos_Aires"),
    ("Cairo", "Africa/Cairo"),
    ("Canberra", "Australia/Sydney"),
    ("Cape Verde Is.", "Atlantic/Cape_Verde"),
    ("Caracas", "America/Caracas"),
    ("Casablanca", "Africa/Casablanca"),
    ("Central America", "America/Guatemala"),
    ("Central Time (US & Canada)", "America/Chicago"),
    ("Chennai", "Asia/Kolkata"),
    ("Chihuahua", "America/Chihuahua"),
    ("Chongqing", "Asia/Shanghai"),
    ("Copenhagen", "Europe/Copenhagen"),
    ("Darwin", "Australia/Darwin"),
    ("Dhaka", "Asia/Dhaka"),
    ("Eastern Time (US & Canada)", "America/New_York"),
    ("Edinburgh", "Europe/London"),
    ("Ekaterinburg", "Asia/Yekaterinburg"),
    ("Fiji", "Pacific/Fiji"),
    ("Georgetown", "America/Guyana"),
    ("Greenland", "America/Nuuk"),
    ("Greenwich Mean Time : Dublin", "Europe/Dublin"),
    ("Guadalajara", "America/Mexico_City"),
    ("Guam", "Pacific/Guam"),
    ("Hanoi", "Asia/Bangkok"),
    ("Harare", "Africa/Harare"),
    ("Hawaii", "Pacific/Honolulu"),
    ("Helsinki", "Europe/Helsinki"),
    ("Hobart", "Australia/Hobart"),
    ("Hong Kong", "Asia/Hong_Kong"),
    ("Indiana (East)", "America/Indiana/Indianapolis"),
    ("International Date Line West", "Etc/GMT+12"),
    ("Irkutsk", "Asia/Irkutsk"),
    ("Islamabad", "Asia/Karachi"),
    ("Istanbul", "Europe/Istanbul"),
    ("Jakarta", "Asia/Jakarta"),
    ("Jerusalem", "Asia/Jerusalem"),
    ("Kabul", "Asia/Kabul"),
    ("Kamchatka", "Asia/Kamchatka"),
    ("Karachi", "Asia/Karachi"),
    ("Kathmandu", "Asia/Kathmandu"),
    ("Kolkata", "Asia/Kolkata"),
    ("Krasnoyarsk", "Asia/Krasnoyarsk"),
    ("Kuala Lumpur", "Asia/Kuala_Lumpur"),
    ("Kuwait", "Asia/Kuwait"),
    ("Kyiv", "Europe/Kyiv"),
    ("La Paz", "America/La_Paz"),
    ("Lima", "America/Lima"),
    ("Lisbon", "Europe/Lisbon"),
    ("Ljubljana", "Europe/Ljubljana"),
    ("London", "Europe/London"),
    ("Madrid", "Europe/Madrid"),
    ("Magadan", "Asia/Magadan"),
    ("Mazatlan", "America/Mazatlan"),
    ("Melbourne", "Australia/Melbourne"),
    ("Mexico City", "America/Mexico_City"),
    ("Mid-Atlantic", "Etc/GMT+2"),
    ("Minsk", "Europe/Minsk"),
    ("Monrovia", "Africa/Monrovia"),
    ("Monterrey", "America/Monterrey"),
    ("Moscow", "Europe/Moscow"),
    ("Mountain Time (US & Canada)", "America/Denver"),
    ("Mumbai", "Asia/Kolkata"),
    ("Muscat", "Asia/Muscat"),
    ("Nairobi", "Africa/Nairobi"),
    ("New Caledonia", "Pacific/Noumea"),
    ("New Delhi", "Asia/Kolkata"),
    ("Newfoundland", "America/St_Johns"),
    ("Novosibirsk", "Asia/Novosibirsk"),
    ("Nuku'alofa", "Pacific/Tongatapu"),
    ("Osaka", "Asia/Tokyo"),
    ("Pacific Time (US & Canada)", "America/Los_Angeles"),
    ("Paris", "Europe/Paris"),
    ("Perth", "Australia/Perth"),
    ("Port Moresby", "Pacific/Port_Moresby"),
    ("Prague", "Europe/Prague"),
    ("Pretoria", "Africa/Johannesburg"),
    ("Quito", "America/Guayaquil"),
    ("Riga", "Europe/Riga"),
    ("Riyadh", "Asia/Riyadh"),
    ("Rome", "Europe/Rome"),
    ("Samoa", "Pacific/Apia"),
    ("Santiago", "America/Santiago"),
    ("Sapporo", "Asia/Tokyo"),
    ("Sarajevo", "Europe/Sarajevo"),
    ("Saskatchewan", "America/Regina"),
    ("Seoul", "Asia/Seoul"),
    ("Singapore", "Asia/Singapore"),
    ("Skopje", "Europe/Skopje"),
    ("Sofia", "Europe/Sofia"),
    ("Solomon Is.", "Pacific/Guadalcanal"),
    ("Sri Jayawardenepura", "Asia/Colombo"),
    ("St. Petersburg", "Europe/Moscow"),
    ("Stockholm", "Europe/Stockholm"),
    ("Sydney", "Australia/Sydney"),
    ("Taipei", "Asia/Taipei"),
    ("Tallinn", "Europe/Tallinn"),
    ("Tashkent", "Asia/Tashkent"),
    ("Tbilisi", "Asia/Tbilisi"),
    ("Tehran", "Asia/Tehran"),
    ("Tokyo", "Asia/Tokyo"),
    ("Urumqi", "Asia/Urumqi"),
    ("Vienna", "Europe/Vienna"),
    ("Vilnius", "Europe/Vilnius"),
    ("Vladivostok", "Asia/Vladivostok"),
    ("Volgograd", "Europe/Volgograd"),
    ("Warsaw", "Europe/Warsaw"),
    ("Wellington", "Pacific/Auckland"),
    ("West Central Africa", "Africa/Lagos"),
    ("Yakutsk", "Asia/Yakutsk"),
    ("Yerevan", "Asia/Yerevan"),
    ("Zagreb", "Europe/Zagreb"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_its_zone() {
        for (place, zone) in PLACES {
            assert!(
                offset(place, 45_000.5, Summer::Counted).is_some(),
                "{place}: {zone}"
            );
        }
    }

    #[test]
    fn offsets_are_those_of_the_clock_on_the_wall() {
        for (place, utc, summer, hours) in [
            // 2007-11-10, 2014-10-22, 2014-07-01.
            ("Paris", 39_396.0, Summer::Counted, 1.0),
            ("Paris", 41_934.5, Summer::Counted, 2.0),
            ("Paris", 41_934.5, Summer::Ignored, 1.0),
            ("London", 41_934.5, Summer::Counted, 1.0),
            ("Sydney", 41_821.0, Summer::Counted, 10.0),
            ("Sydney", 41_934.5, Summer::Ignored, 10.0),
            ("Kathmandu", 41_934.5, Summer::Counted, 5.75),
            ("europe/rome", 41_934.5, Summer::Counted, 2.0),
            ("GMT-05:00", 41_934.5, Summer::Counted, -5.0),
            ("utc+05:45", 41_934.5, Summer::Counted, 5.75),
        ] {
            assert_eq!(offset(place, utc, summer), Some(hours / 24.0), "{place}");
        }
        for place in [
            "Atlantis",
            "GMT+15:00",
            "GMT-04:27",
            "GMT+",
            "GMT*1",
            "",
            "é€",
        ] {
            assert_eq!(offset(place, 41_934.5, Summer::Counted), None, "{place}");
        }
    }
}
