//! Hex dumps to octets: plain digits, or the columns of xxd, hexdump, tcpdump and Wireshark.

/// Between digits anything of this may stand.
const SEPARATORS: [char; 4] = [',', ';', ':', '-'];
/// What may stand before a line's octets and names no octet itself.
const PREFIXES: [&str; 3] = ["0x", "0X", "\\x"];

/// The octets of a dump. What is no hex is named with its line.
///
/// Digits come in pairs, with or without white space, commas, semicolons, colons, hyphens, `0x` or `\x` between them. A
/// column of offsets in front and one of text behind are left out; `#` begins a comment.
pub(crate) fn octets(text: &str) -> Result<Vec<u8>, String> {
    let (mut octets, mut columns) = (Vec::new(), false);
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim_end();
        let digits = match Columns::of(line, octets.len()) {
            Columns::Colon(digits) => {
                columns = true;
                digits.split("  ").next().unwrap_or_default()
            }
            Columns::Spaces(digits) => {
                columns = true;
                let digits = digits.split(['|', '>']).next().unwrap_or_default();
                // Behind the eighth octet there may be two spaces, behind the last one there are three or more.
                digits.split("   ").next().unwrap_or_default()
            }
            Columns::End if columns => "",
            Columns::End | Columns::None => line,
        };
        read(digits, &mut octets).map_err(|why| format!("line {}: {why}", number.saturating_add(1)))?;
    }
    Ok(octets)
}

/// Whether these octets of a file are a dump rather than frames: printable and no HTTP head. No uncompressed frame begins with a
/// printable octet.
pub(crate) fn is_dump(octets: &[u8]) -> bool {
    let printable = |octet: &u8| matches!(octet, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    octets.iter().all(printable) && !octets.starts_with(b"GET ") && !octets.starts_with(b"HTTP/")
}

/// The columns of a line, and what is behind the first one.
enum Columns<'a> {
    /// `00000010: 8185 37fa  ..7.`
    Colon(&'a str),
    /// `00000010  81 85 37 fa  |..7.|`
    Spaces(&'a str),
    /// `00000012`: where the dump ends, if it has columns.
    End,
    /// No column of offsets.
    None,
}

impl<'a> Columns<'a> {
    /// Of a line before which there are `before` octets.
    fn of(line: &'a str, before: usize) -> Self {
        let line = line.trim_start();
        let (first, rest) = line.split_at(line.find(char::is_whitespace).unwrap_or(line.len()));
        let offset = |word: &str, least: usize| {
            let digits = word.strip_prefix("0x").unwrap_or(word);
            (digits.len() >= least && digits.len() <= 16).then(|| u64::from_str_radix(digits, 16).ok()).flatten()
        };
        match first.strip_suffix(':') {
            Some(word) if offset(word, 4).is_some() => return Self::Colon(rest.trim_start()),
            _ => {}
        }
        // Without a colon digits are an offset only if they say what it must be.
        match offset(first, 6) {
            Some(at) if at == before as u64 && rest.is_empty() => Self::End,
            Some(at) if at == before as u64 && rest.starts_with("  ") => Self::Spaces(rest.trim_start()),
            _ => Self::None,
        }
    }
}

/// Appends what the digits say.
fn read(digits: &str, octets: &mut Vec<u8>) -> Result<(), String> {
    let words = digits.split(|c: char| c.is_whitespace() || SEPARATORS.contains(&c)).flat_map(|word| word.split("\\x"));
    for word in words.filter(|word| !word.is_empty()) {
        if word == "*" {
            return Err("`*` stands for octets that were left out: dump them all (hexdump -v)".to_owned());
        }
        let pairs = PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix)).unwrap_or(word);
        if let Some(wrong) = pairs.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(format!("{word:?} is no hex: {wrong:?} is no digit"));
        }
        if pairs.is_empty() || pairs.len() % 2 != 0 {
            return Err(format!("{word:?} is half an octet: digits come in pairs"));
        }
        // All are ASCII and in pairs.
        let pairs = pairs.as_bytes().chunks_exact(2).filter_map(|pair| std::str::from_utf8(pair).ok());
        octets.extend(pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_form_is_read() {
        let hello = b"\x81\x05Hello";
        for text in [
            "810548656c6c6f",
            "81 05 48 65 6c 6c 6f\n",
            "8105 4865 6C6C 6F",
            "81:05:48:65:6c:6c:6f",
            "8105:4865:6c6c:6f",
            "81-05-48-65-6c-6c-6f",
            "0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f",
            r"\x81\x05\x48\x65\x6c\x6c\x6f",
            "# a text\n81 05 # its head\r\n\n48 65 6c 6c 6f",
            "00000000: 8105 4865 6c6c 6f                        ..Hello",
            "00000000  81 05 48 65 6c 6c 6f                              |..Hello|\n00000007\n",
            "000000  81 05 48 65 6c 6c 6f  >..Hello<\n000007",
            "\t0x0000:  8105 4865 6c6c 6f                        ..Hello",
            "    00000000  81 05 48 65 6c 6c 6f                               ..Hello",
        ] {
            assert_eq!(octets(text).as_deref(), Ok(&hello[..]), "{text}");
            assert!(is_dump(text.as_bytes()));
        }
    }

    #[test]
    fn columns_go_over_lines_and_text_that_looks_like_hex_is_none() {
        let wanted: Vec<u8> = (0..20).map(|i| 0x61 + i % 6).collect();
        for text in [
            "00000000: 6162 6364 6566 6162 6364 6566 6162 6364  abcdefabcdefabcd\n00000010: 6566 6162                                efab\n",
            "00000000  61 62 63 64 65 66 61 62  63 64 65 66 61 62 63 64  |abcdefabcdefabcd|\n00000010  65 66 61 62                                       |efab|\n00000014\n",
            "00000000  61 62 63 64 65 66 61 62  63 64 65 66 61 62 63 64   abcdefab cdefabcd\n00000010  65 66 61 62                                        efab\n",
        ] {
            assert_eq!(octets(text).as_deref(), Ok(&wanted[..]), "{text}");
        }
        // Digits alone are octets, whatever they look like.
        assert_eq!(octets("00000000\n00000004"), Ok(vec![0, 0, 0, 0, 0, 0, 0, 4]));
    }

    #[test]
    fn what_is_no_hex_is_named_with_its_line() {
        for (text, wanted) in [
            ("81 05\n4x", "line 2: \"4x\" is no hex: 'x' is no digit"),
            ("8", "line 1: \"8\" is half an octet: digits come in pairs"),
            ("0x", "line 1: \"0x\" is half an octet: digits come in pairs"),
            ("81 é", "line 1: \"é\" is no hex: 'é' is no digit"),
            ("00 00\n*", "line 2: `*` stands for octets that were left out: dump them all (hexdump -v)"),
        ] {
            assert_eq!(octets(text).unwrap_err(), wanted);
        }
    }

    #[test]
    fn frames_and_heads_are_no_dump() {
        for octets in [&b"\x81\x05Hello"[..], b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 101 X\r\n\r\n", b"\0"] {
            assert!(!is_dump(octets));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_come_back_and_any_text_is_an_answer(wanted: Vec<u8>, text in ".*", line in "[0-9a-f:x\\\\ |#*>\n]{0,80}") {
            let plain: String = wanted.iter().map(|octet| format!("{octet:02x} ")).collect();
            proptest::prop_assert_eq!(octets(&plain), Ok(wanted));
            let _ = (octets(&text), octets(&line));
        }
    }
}
