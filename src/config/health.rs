//! The person's own health rules: `health/*.yaml` beside the configuration file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Folders;
use crate::domain::safe::escape;
use crate::health::rules::Rules;

/// Reads the rules, none when there is no folder.
///
/// # Errors
/// A sentence that names the file and what is wrong in it.
pub fn health_rules(folders: &Folders) -> Result<Rules, String> {
    let folder = folders.config.join("health");
    let mut texts = Vec::new();
    for path in files(&folder).map_err(|e| unreadable(&folder, &e))? {
        let text = fs::read_to_string(&path).map_err(|e| unreadable(&path, &e))?;
        texts.push((escape(&path.display().to_string()).into_owned(), text));
    }
    let (rules, errors) = Rules::user(texts.iter().map(|(f, t)| (f.as_str(), t.as_str())));
    match errors.first() {
        Some(error) => Err(error.to_string()),
        None => Ok(rules),
    }
}

/// The folder's rule files by name; a later one wins.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    let path = escape(&path.display().to_string()).into_owned();
    format!("The health rules {path} cannot be read ({error}); correct or remove them.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(text: Option<&str>) -> (tempfile::TempDir, Folders) {
        let base = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            fs::create_dir(base.path().join("health")).unwrap();
            fs::write(base.path().join("health/edge.yaml"), text).unwrap();
            fs::write(base.path().join("health/notes.txt"), "not a rule").unwrap();
        }
        let folders = Folders {
            config: base.path().to_owned(),
            state: base.path().to_owned(),
            cache: base.path().to_owned(),
        };
        (base, folders)
    }

    #[test]
    fn the_folder_may_be_missing_and_its_files_are_read() {
        let (_base, none) = folders(None);
        assert!(health_rules(&none).unwrap().is_empty());
        let text = "group: edge.example\nkinds:\n  Node:\n    - {Healthy: ''}\n";
        let (_base, one) = folders(Some(text));
        assert_eq!(health_rules(&one).unwrap().len(), 1);
    }

    #[test]
    fn a_broken_file_is_named() {
        let (_base, broken) = folders(Some("group: edge.example\n"));
        let sentence = health_rules(&broken).unwrap_err();
        assert!(
            sentence.contains("health/edge.yaml") && sentence.contains("`kinds` is missing"),
            "{sentence}"
        );
    }
}
