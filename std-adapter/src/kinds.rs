//! The types of static files, by the endings of their names.

use std::path::Path;

/// What is of no type that is known here.
const OTHER: &str = "application/octet-stream";
/// A type and its endings in each line. One text and no table of references: those would be set anew in the memory of each process.
const KINDS: &str = "\
text/html html htm
text/css css
text/javascript js mjs
application/json json map
application/wasm wasm
text/plain txt text log conf ini
text/markdown md
text/csv csv
text/xml xml xsd
text/calendar ics
text/vcard vcf
text/vtt vtt
application/manifest+json webmanifest
application/ld+json jsonld
application/geo+json geojson
application/xhtml+xml xhtml
application/rss+xml rss
application/atom+xml atom
application/pdf pdf
application/rtf rtf
application/epub+zip epub
application/zip zip
application/gzip gz tgz
application/x-tar tar
application/x-bzip2 bz2
application/x-7z-compressed 7z
application/vnd.rar rar
application/java-archive jar
application/x-sh sh
application/toml toml
text/x-yaml yaml yml
application/sql sql
application/msword doc
application/vnd.ms-excel xls
application/vnd.ms-powerpoint ppt
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.oasis.opendocument.text odt
application/vnd.oasis.opendocument.spreadsheet ods
application/vnd.oasis.opendocument.presentation odp
application/vnd.apple.mpegurl m3u8
application/dash+xml mpd
image/png png
image/jpeg jpg jpeg
image/gif gif
image/webp webp
image/avif avif
image/svg+xml svg
image/x-icon ico
image/bmp bmp
image/tiff tif tiff
image/heic heic
image/jxl jxl
image/apng apng
font/woff woff
font/woff2 woff2
font/ttf ttf
font/otf otf
application/vnd.ms-fontobject eot
audio/mpeg mp3
audio/ogg ogg oga opus
audio/wav wav
audio/flac flac
audio/aac aac
audio/m4a m4a
audio/midi mid midi
audio/webm weba
video/mp4 mp4
video/webm webm
video/ogg ogv
video/mpeg mpeg mpg
video/quicktime mov
video/x-msvideo avi
video/x-matroska mkv
video/x-m4v m4v
model/gltf-binary glb
model/gltf+json gltf
model/stl stl
";

/// The type of a file, as `Content-Type` has it. Text is UTF-8.
pub(crate) fn content_type(path: &Path) -> String {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let kind = kinds().find(|(_, endings)| endings.split(' ').any(|known| known.eq_ignore_ascii_case(ending)));
    let kind = kind.map_or(OTHER, |(kind, _)| kind);
    format!("{kind}{}", if kind.starts_with("text/") { "; charset=utf-8" } else { "" })
}

/// Each type with its endings.
fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    KINDS.lines().filter_map(|line| line.split_once(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Endings of which the judge has a type from before IANA registered ours (RFC 9239 for scripts, RFC 8081 for fonts), or none
    /// that browsers ask for.
    const NEWER: [&str; 13] =
        ["mjs", "map", "vcf", "tgz", "rar", "toml", "sql", "m3u8", "woff", "otf", "mid", "midi", "stl"];

    #[test]
    fn the_types_are_those_that_everybody_uses() {
        let all = kinds().flat_map(|(kind, endings)| endings.split(' ').map(move |ending| (kind, ending)));
        let other = |(kind, ending): &(&str, &str)| {
            !mime_guess::from_ext(ending).iter().any(|guess| guess.essence_str() == *kind)
        };
        let others: BTreeSet<_> = all.filter(other).map(|(_, ending)| ending).collect();
        assert_eq!(others, BTreeSet::from(NEWER));
    }

    #[test]
    fn each_line_is_a_type_and_each_ending_stands_there_once() {
        assert_eq!(kinds().count(), KINDS.lines().count());
        let endings: Vec<_> = kinds().flat_map(|(_, endings)| endings.split(' ')).collect();
        assert_eq!(endings.iter().collect::<BTreeSet<_>>().len(), endings.len());
        assert!(endings.iter().all(|ending| !ending.is_empty()));
    }

    #[test]
    fn a_name_without_a_known_ending_is_of_no_type() {
        for (name, kind) in [
            ("a/index.html", "text/html; charset=utf-8"),
            ("A.HTM", "text/html; charset=utf-8"),
            ("a.b.svg", "image/svg+xml"),
            ("html", OTHER),
            (".html", OTHER),
            ("a.", OTHER),
            ("a.html~", OTHER),
            ("a.text html", OTHER),
        ] {
            assert_eq!(content_type(Path::new(name)), kind, "{name}");
        }
    }
}
