//! Routing what the model's thread tells.

use super::App;
use crate::score::LiveEvent;
use crate::tui::msg::Effect;

impl App {
    /// Takes in what the model's thread tells.
    pub(super) fn heard(&mut self, event: LiveEvent) -> Vec<Effect> {
        self.model.hear(&event);
        match event {
            LiveEvent::Ready(info) => {
                self.paint.due = true;
                self.records.expire();
                let scale = Effect::LoadScale(info.fingerprint.clone());
                return vec![self.reread(), scale];
            }
            LiveEvent::LoadFailed(why) => self.tell(why),
            LiveEvent::Scored {
                group,
                candidate,
                reward,
                stored: _,
            } => {
                let Some(index) = self.records.score(group, candidate, reward) else {
                    return Vec::new();
                };
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a score as the list keeps it"
                )]
                let mean = reward.aggregate.mean as f32;
                self.paint.due |= self.list.score(group, index, mean);
                self.paint.due |= self.list.marked() == Some(group);
                return self.judge(group);
            }
            LiveEvent::Failed {
                group,
                candidate,
                message,
            } => {
                self.records.fail(group, candidate, message);
                self.paint.due |= self.list.marked() == Some(group);
            }
            LiveEvent::Finished(_) if self.screens.detail.is_some() => {
                self.paint.due = true;
                return self.rescale();
            }
            LiveEvent::Finished(_)
            | LiveEvent::Started(_)
            | LiveEvent::Loading(_)
            | LiveEvent::Rate { .. } => self.paint.due = true,
            LiveEvent::Rated { job, index, result } => return self.rated(job, index, result),
            LiveEvent::RateDone { .. } => {}
        }
        Vec::new()
    }
}
