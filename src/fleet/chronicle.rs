//! What happened, told as people tell it: equal news from many clusters within ten minutes are one story.
//!
//! Stories are made while events are folded and live as long as the program; the oldest are forgotten first.

use std::collections::{BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::domain::{AppRef, ClusterId, Fingerprint, ObjectRef, Safe};

/// How many stories are kept.
const KEPT: usize = 4_000;
/// Equal news within this time of each other are one story.
const TOGETHER: SignedDuration = SignedDuration::from_mins(10);

/// What a story is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoryKind {
    /// An object began to differ from Git, or differs otherwise than before.
    DriftBegan,
    /// An object is as Git wants it again.
    DriftEnded,
    /// The engine deployed, failed to, or its settings changed.
    Sync,
    /// Health changed.
    Health,
    /// A link changed.
    Link,
    /// What was done from this console.
    Own,
}

impl StoryKind {
    /// The word of the filter and of the list.
    pub fn word(self) -> &'static str {
        match self {
            Self::DriftBegan | Self::DriftEnded => "drift",
            Self::Sync => "sync",
            Self::Health => "health",
            Self::Link => "conn",
            Self::Own => "me",
        }
    }
}

/// Whether a story is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tenor {
    /// Somebody should look.
    Bad,
    /// Neither.
    Plain,
    /// It got better.
    Good,
}

/// One story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Its number; grows with the order in which stories were first heard.
    pub id: u64,
    /// What it is about.
    pub kind: StoryKind,
    /// Whether it is good news.
    pub tenor: Tenor,
    /// When it first happened, as far as that is known.
    pub at: Timestamp,
    /// When it last happened.
    pub until: Timestamp,
    /// When it was last heard, by our clock.
    pub heard: Timestamp,
    /// Where.
    pub clusters: BTreeSet<ClusterId>,
    /// What, in one line.
    pub what: Safe,
    /// The application it is about, of the first cluster.
    pub app: Option<AppRef>,
    /// The object it is about.
    pub object: Option<ObjectRef>,
    /// The group of equal changes it is about.
    pub fingerprint: Option<Fingerprint>,
}

/// One piece of news before it is told.
#[derive(Clone, Debug)]
pub struct News {
    /// What it is about.
    pub kind: StoryKind,
    /// Whether it is good news.
    pub tenor: Tenor,
    /// When it happened.
    pub at: Timestamp,
    /// When it was heard.
    pub heard: Timestamp,
    /// Where.
    pub clusters: BTreeSet<ClusterId>,
    /// What, in one line.
    pub what: Safe,
    /// The application.
    pub app: Option<AppRef>,
    /// The object.
    pub object: Option<ObjectRef>,
    /// The group of equal changes.
    pub fingerprint: Option<Fingerprint>,
}

/// Every story that is kept, in the order in which they were first heard.
#[derive(Clone, Debug, Default)]
pub struct Chronicle {
    stories: VecDeque<Story>,
    /// The newest story of the same words, by its number.
    open: HashMap<(StoryKind, Safe), u64>,
    next: u64,
}

impl Chronicle {
    /// The stories, in the order in which they were first heard.
    pub fn stories(&self) -> impl DoubleEndedIterator<Item = &Story> {
        self.stories.iter()
    }

    /// One story.
    pub fn story(&self, id: u64) -> Option<&Story> {
        self.stories.get(self.place(id)?)
    }

    fn place(&self, id: u64) -> Option<usize> {
        let first = self.stories.front()?.id;
        usize::try_from(id.checked_sub(first)?).ok()
    }

    /// Takes news: joins them to a story of the same words, or begins a new one.
    pub fn tell(&mut self, news: News) {
        let key = (news.kind, news.what.clone());
        let known = self.open.get(&key).and_then(|id| self.place(*id));
        if let Some(story) = known.and_then(|i| self.stories.get_mut(i))
            && story.takes(&news)
        {
            story.at = story.at.min(news.at);
            story.until = story.until.max(news.at);
            story.heard = news.heard;
            story.clusters.extend(news.clusters);
            return;
        }
        self.open.insert(key, self.next);
        self.stories.push_back(Story {
            id: self.next,
            kind: news.kind,
            tenor: news.tenor,
            at: news.at,
            until: news.at,
            heard: news.heard,
            clusters: news.clusters,
            what: news.what,
            app: news.app,
            object: news.object,
            fingerprint: news.fingerprint,
        });
        self.next += 1;
        self.forget();
    }

    fn forget(&mut self) {
        while self.stories.len() > KEPT {
            let Some(old) = self.stories.pop_front() else {
                return;
            };
            let key = (old.kind, old.what);
            if self.open.get(&key) == Some(&old.id) {
                self.open.remove(&key);
            }
        }
    }
}

impl Story {
    /// Whether news belong to this story: close in time, and of other clusters; the same cluster again is another story.
    fn takes(&self, news: &News) -> bool {
        let near = news.at.duration_since(self.until) <= TOGETHER
            && self.at.duration_since(news.at) <= TOGETHER;
        near && self.clusters.is_disjoint(&news.clusters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::testkit::at;

    fn news(cluster: &str, seconds: i64) -> News {
        News {
            kind: StoryKind::DriftBegan,
            tenor: Tenor::Bad,
            at: at(seconds),
            heard: at(seconds),
            clusters: [cluster.into()].into(),
            what: Safe::fixed("Deployment edge/gateway spec.replicas 3→1"),
            app: None,
            object: None,
            fingerprint: None,
        }
    }

    #[test]
    fn equal_news_of_many_clusters_are_one_story() {
        let mut chronicle = Chronicle::default();
        for (i, cluster) in ["edge-oslo-001", "edge-oslo-002", "edge-oslo-003"]
            .into_iter()
            .enumerate()
        {
            chronicle.tell(news(cluster, i64::try_from(i).unwrap() * 30));
        }
        let stories: Vec<_> = chronicle.stories().collect();
        assert_eq!(stories.len(), 1);
        assert_eq!(stories[0].clusters.len(), 3);
        assert_eq!((stories[0].at, stories[0].until), (at(0), at(60)));
    }

    #[test]
    fn the_same_cluster_again_and_a_later_time_are_other_stories() {
        let mut chronicle = Chronicle::default();
        chronicle.tell(news("edge-oslo-001", 0));
        chronicle.tell(news("edge-oslo-001", 10));
        chronicle.tell(news("edge-oslo-002", 20));
        chronicle.tell(news("edge-oslo-003", 3_600));
        let sizes: Vec<_> = chronicle.stories().map(|s| s.clusters.len()).collect();
        assert_eq!(sizes, [1, 2, 1]);
    }

    #[test]
    fn the_oldest_stories_are_forgotten_and_numbers_stay() {
        let mut chronicle = Chronicle::default();
        for i in 0..4_100 {
            chronicle.tell(news("edge-oslo-001", i));
        }
        assert_eq!(chronicle.stories().count(), KEPT);
        assert!(chronicle.story(99).is_none());
        assert_eq!(chronicle.story(100).map(|s| s.at), Some(at(100)));
        assert_eq!(chronicle.story(4_099).map(|s| s.at), Some(at(4_099)));
    }
}
