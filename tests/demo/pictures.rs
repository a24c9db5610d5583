//! The pictures under screenshots/ are what this program draws today, byte by byte.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One line of the recipe.
struct Picture {
    file: String,
    arguments: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots")
}

fn recipe() -> Vec<Picture> {
    let text = std::fs::read_to_string(folder().join("recipe.txt")).unwrap();
    let lines = text
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'));
    let pictures = lines.map(|line| {
        let mut words = words(line).into_iter();
        Picture {
            file: words.next().unwrap(),
            arguments: words.collect(),
        }
    });
    pictures.collect()
}

/// Words separated by blanks; what stands in quotation marks is one.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    let words = parts.flat_map(|(i, part)| match i % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

/// Draws it on a machine without settings, and without colours or a locale of its own.
fn draw(picture: &Picture) -> Vec<u8> {
    let home = tempfile::tempdir().unwrap();
    let ending = Path::new(&picture.file)
        .extension()
        .unwrap()
        .to_str()
        .unwrap();
    let answer = Command::new(env!("CARGO_BIN_EXE_driftdeck"))
        .arg("snapshot")
        .args(&picture.arguments)
        .args(["-o", ending])
        // It goes on as soon as the fleet is heard; a busy machine takes longer.
        .args(["--wait", "60s"])
        .env_clear()
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{}: {complaint}", picture.file);
    answer.stdout
}

/// Draws all, two at a time.
fn drawn(pictures: &[Picture]) -> Vec<Vec<u8>> {
    let (first, second) = pictures.split_at(pictures.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| second.iter().map(draw).collect::<Vec<_>>());
        let mut all: Vec<_> = first.iter().map(draw).collect();
        all.extend(other.join().unwrap());
        all
    })
}

#[test]
fn the_pictures_are_what_the_program_draws() {
    let pictures = recipe();
    assert!(!pictures.is_empty());
    let mut stale = Vec::new();
    for (picture, drawn) in pictures.iter().zip(drawn(&pictures)) {
        let file = folder().join(&picture.file);
        if std::env::var_os("DRIFTDECK_WRITE_DOCS").is_some() {
            std::fs::write(&file, &drawn).unwrap();
        }
        if std::fs::read(&file).ok() != Some(drawn) {
            stale.push(picture.file.as_str());
        }
    }
    assert!(
        stale.is_empty(),
        "These pictures are old; look at what changed and run `.ci/screenshots`: {stale:?}"
    );
}

#[test]
fn no_picture_is_there_that_the_recipe_does_not_make() {
    let made: Vec<String> = recipe().into_iter().map(|p| p.file).collect();
    let found = std::fs::read_dir(folder()).unwrap();
    let names = found.map(|f| f.unwrap().file_name().into_string().unwrap());
    let strange: Vec<String> = names
        .filter(|n| n != "recipe.txt" && !made.contains(n))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
}
