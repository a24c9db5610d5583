//! Themes as people write them: what loads, what is refused, and whether text can be read.

use std::fs;

use ratatui::style::{Color, Modifier};

use super::*;

fn looks(depth: Depth) -> Looks {
    Looks {
        depth,
        ascii: false,
        folder: None,
    }
}

fn load(text: &str) -> Result<Theme, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.toml"), text).unwrap();
    let looks = Looks {
        folder: Some(folder.path().to_owned()),
        ..looks(Depth::True)
    };
    let dir = format!("{}/", folder.path().display());
    Theme::load("mine", &looks).map_err(|e| e.to_string().replace(&dir, ""))
}

#[test]
fn every_built_in_theme_loads_at_every_depth() {
    let names = Theme::names(None);
    assert!(names.len() >= 12, "{names:?}");
    for name in names {
        for depth in [Depth::True, Depth::Indexed, Depth::Sixteen, Depth::None] {
            Theme::load(&name, &looks(depth)).unwrap();
        }
    }
}

#[test]
fn a_scope_falls_back_to_the_shorter_name_and_then_to_text() {
    let theme = load("[scopes]\ntext = \"#010203\"\ndrift = \"red\"\n").unwrap();
    assert_eq!(theme.get("drift.edited").fg, Some(Color::Red));
    assert_eq!(theme.get("live").fg, Some(Color::Rgb(1, 2, 3)));
}

#[test]
fn an_heir_changes_the_palette_under_inherited_scopes() {
    let theme = load("inherits = \"dark\"\n[palette]\nred = \"#fe0000\"\n").unwrap();
    assert_eq!(
        theme.get("health.degraded").fg,
        Some(Color::Rgb(0xfe, 0, 0))
    );
}

#[test]
fn an_unknown_scope_is_refused_with_line_and_nearest() {
    assert_eq!(
        load("[scopes]\n\"drift.edted\" = \"red\"\n").unwrap_err(),
        "mine.toml, line 2: unknown scope `drift.edted`; the nearest is `drift.edited`."
    );
}

#[test]
fn an_unknown_colour_is_refused_with_line_and_nearest() {
    assert_eq!(
        load("[palette]\nrose = \"#ff0066\"\n\n[scopes]\ntext = \"roze\"\n").unwrap_err(),
        "mine.toml, line 5: unknown colour `roze`; the nearest is `rose`."
    );
}

#[test]
fn an_unknown_modifier_or_key_is_refused() {
    let refused = load("[scopes]\ntext = { mods = [\"blod\"] }").unwrap_err();
    assert!(refused.contains("the nearest is `bold`"), "{refused}");
    let refused = load("[scope]\n").unwrap_err();
    assert!(refused.contains("the nearest is `scopes`"), "{refused}");
}

#[test]
fn an_unknown_theme_names_the_nearest() {
    let refused = Theme::load("drak", &looks(Depth::True)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Unknown theme `drak`; the nearest is `dark`."
    );
}

#[test]
fn without_colours_no_colour_is_left_and_the_selection_still_shows() {
    let theme = Theme::load("dark", &looks(Depth::None)).unwrap();
    for scope in SCOPES {
        let style = theme.get(scope.name);
        assert_eq!((style.fg, style.bg), (None, None), "{}", scope.name);
    }
    let selection = theme.get("selection").add_modifier;
    assert!(selection.contains(Modifier::REVERSED));
}

#[test]
fn with_sixteen_colours_the_selection_still_shows() {
    for name in Theme::names(None) {
        let style = Theme::load(&name, &looks(Depth::Sixteen))
            .unwrap()
            .get("selection");
        let reversed = style.add_modifier.contains(Modifier::REVERSED);
        let bar = style
            .bg
            .is_some_and(|b| b != Color::Black && b != Color::White);
        assert!(reversed || bar, "{name}: {style:?}");
    }
}

/// The built-in themes that paint their own ground, at full depth.
fn painted() -> Vec<Theme> {
    let all = Theme::names(None).into_iter();
    let all = all.map(|name| Theme::load(&name, &looks(Depth::True)).unwrap());
    all.filter(|theme| theme.get("background").bg.and_then(color::rgb).is_some())
        .collect()
}

#[test]
fn there_are_themes_for_every_room_and_eye() {
    let painted: Vec<String> = painted().iter().map(|t| t.name().to_string()).collect();
    for name in [
        "dark",
        "light",
        "high-contrast",
        "color-safe",
        "catppuccin-mocha",
        "dracula",
        "gruvbox-dark",
        "nord",
        "solarized-dark",
        "tokyo-night",
    ] {
        assert!(painted.iter().any(|p| p == name), "{name} of {painted:?}");
    }
}

/// Text of every scope on every ground it is drawn on: 4.5 is WCAG AA, 3 is enough for lines and for the screen behind a window.
#[test]
fn text_can_be_read_in_every_theme_with_its_own_ground() {
    for theme in painted() {
        let rgb = |c: Option<Color>| c.and_then(color::rgb).unwrap();
        let ground = rgb(theme.get("background").bg);
        let grounds = [
            ground,
            rgb(theme.get("selection").bg),
            rgb(theme.get("popup").bg),
        ];
        for scope in SCOPES {
            let style = theme.get(scope.name);
            let Some(ink) = style.fg.and_then(color::rgb) else {
                continue;
            };
            let least = match scope.name {
                "border" | "shadow" => 3.0,
                _ => 4.5,
            };
            let own = style.bg.and_then(color::rgb);
            // Lines and the screen behind a window are never on the selected row.
            let possible = &grounds[..if least < 4.0 { 1 } else { 3 }];
            let on = own.map_or(possible.to_vec(), |own| vec![own]);
            for ground in on {
                let least = if ground == grounds[1] { 3.0 } else { least };
                let contrast = color::contrast(ink, ground);
                let (theme, scope) = (theme.name(), scope.name);
                assert!(contrast >= least, "{theme} {scope} has {contrast:.1}");
            }
        }
    }
}

/// What each kind of dichromat sees, in linear light: Machado, Oliveira and Fernandes (2009), severity 1.0.
const DICHROMATS: [(&str, [[f64; 3]; 3]); 3] = [
    (
        "protan",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deutan",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "tritan",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

/// CIE L*a*b* (D65) of linear light.
fn lab([red, green, blue]: [f64; 3]) -> [f64; 3] {
    let f = |t: f64| {
        if t > 0.008_856 {
            t.cbrt()
        } else {
            7.787 * t + 16.0 / 116.0
        }
    };
    let x = f((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505);
    let y = f(0.2126 * red + 0.7152 * green + 0.0722 * blue);
    let z = f((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// How far apart two colours are to eyes that see through `matrix` (CIE 1976; 2.3 is just noticeable).
fn apart(a: Color, b: Color, matrix: &[[f64; 3]; 3]) -> f64 {
    let seen = |c: Color| {
        let light = color::linear(color::rgb(c).unwrap());
        let row = |r: &[f64; 3]| r.iter().zip(light).map(|(m, l)| m * l).sum::<f64>();
        lab([0, 1, 2].map(|i| row(&matrix[i]).clamp(0.0, 1.0)))
    };
    let (a, b) = (seen(a), seen(b));
    let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
    squares.sum::<f64>().sqrt()
}

#[test]
fn color_safe_keeps_good_and_bad_apart_for_every_eye() {
    let theme = Theme::load("color-safe", &looks(Depth::True)).unwrap();
    let ink = |scope: &str| theme.get(scope).fg.unwrap();
    let pairs = [
        ("sync.synced", "sync.outofsync"),
        ("health.healthy", "health.degraded"),
        ("health.progressing", "health.degraded"),
        ("live", "unreachable"),
        ("diff.added", "diff.removed"),
        ("outcome.good", "outcome.failed"),
        ("drift.edited", "drift.missing"),
    ];
    for (eye, matrix) in &DICHROMATS {
        for (a, b) in pairs {
            let apart = apart(ink(a), ink(b), matrix);
            assert!(apart >= 20.0, "{eye}: {a} and {b} are {apart:.0} apart");
        }
    }
}

/// The page beside the theme files: how they are written, and every scope.
fn page() -> String {
    use std::fmt::Write as _;
    let mut page = String::from(
        "# Themes\n\n\
         A theme is one TOML file here, or in `themes/` of the configuration folder, where a file of the same name goes before the built-in one.\n\
         Choose one with `--theme NAME`, in `config.toml`, or in the console with `:theme NAME`.\n\n\
         ```toml\n\
         about = \"what it is like\"\n\
         inherits = \"dark\"               # its palette and scopes are there already\n\n\
         [palette]\n\
         red = \"#ff5f5f\"                 # changes every inherited scope that says red\n\n\
         [scopes]\n\
         \"drift.edited\" = \"red\"\n\
         \"selection\" = { bg = \"#223344\", mods = [\"bold\"] }\n\
         ```\n\n\
         A colour is a name of the palette, `#rrggbb`, one of the sixteen names (`red`, `bright-blue`, ...), a number to 255, or `default`, the\n\
         terminal's own. Modifiers: `bold`, `dim`, `italic`, `underline`, `reverse`, `strike`. A scope that is left out takes the style of the next\n\
         shorter name (`drift` for `drift.edited`), then of `text`. An unknown scope or colour is refused with file, line and the nearest right name.\n\
         Terminals with fewer colours get the nearest ones; with `NO_COLOR` the last column below stands in for colour.\n\n\
         ## Built in\n\n| name | what it is like |\n|---|---|\n",
    );
    let shelf = shelf(None);
    for name in Theme::names(None) {
        let (_, text) = shelf.read(&name).unwrap();
        let table: toml::Table = text.parse().unwrap();
        let _ = writeln!(page, "| `{name}` | {} |", table["about"].as_str().unwrap());
    }
    page.push_str("\n## Scopes\n\n| scope | what wears it | without colour |\n|---|---|---|\n");
    for scope in SCOPES {
        let mono = format!("{:?}", scope.mono).to_lowercase();
        let mono = if scope.mono.is_empty() { "" } else { &mono };
        let _ = writeln!(page, "| `{}` | {} | {mono} |", scope.name, scope.about);
    }
    page
}

#[test]
fn the_page_beside_the_files_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/themes/README.md");
    if std::env::var_os("DRIFTDECK_WRITE_DOCS").is_some() {
        fs::write(path, page()).unwrap();
    }
    let written = fs::read_to_string(path).unwrap();
    assert!(
        written == page(),
        "themes/README.md is old; run `DRIFTDECK_WRITE_DOCS=1 cargo test the_page_beside`."
    );
}
