//! What a plan means to those who carry it out: the learner's recipe, the rates, the size of a step.

use super::{Extent, LossKind, Plan};
use crate::domain::{Columns, PUBLISHED_MARGIN, PUBLISHED_TIE_CONSTANT, PairLoss};
use crate::model::learner::{
    AdamW, Auxiliary, Language, LowRank, Objective, Part, Rates, Recipe, Trained,
};

impl Plan {
    /// What the learner has to know, but for the auxiliary attributes, whose classes the data decides.
    pub fn recipe(&self) -> Recipe {
        let low = &self.low_rank;
        let optimizer = &self.optimizer;
        Recipe {
            seed: self.seed,
            objective: self.objective(),
            head: self.model.head,
            fresh_heads: self.model.fresh_heads,
            from_scratch: self.model.from_scratch,
            aggregate: self.model.aggregate,
            layout: self.model.layout,
            trained: self.trained(),
            low_rank: LowRank {
                rank: low.rank,
                alpha: low.alpha.unwrap_or(2.0 * low.rank as f64),
                dropout: low.dropout,
                targets: low.targets.clone(),
            },
            head_dropout: self.model.head_dropout,
            auxiliary: Auxiliary::default(),
            optimizer: AdamW {
                beta1: optimizer.beta1,
                beta2: optimizer.beta2,
                eps: optimizer.eps,
                weight_decay: optimizer.weight_decay,
            },
            checkpointing: self.compute.checkpointing,
        }
    }

    /// The parts that are trained.
    pub fn trained(&self) -> Trained {
        let whole = match self.train {
            Extent::Heads => Trained::HEADS,
            Extent::LowRank => Trained {
                language: Language::LowRank,
                reward_token: true,
                ..Trained::HEADS
            },
            Extent::Everything => Trained::EVERYTHING,
        };
        let parts = &self.parts;
        Trained {
            vision: parts.vision.unwrap_or(whole.vision),
            merger: parts.merger.unwrap_or(whole.merger),
            language: parts.language.unwrap_or(whole.language),
            reward_token: parts.reward_token.unwrap_or(whole.reward_token),
            embedding: parts.embedding.unwrap_or(whole.embedding),
            heads: parts.heads.unwrap_or(whole.heads),
        }
    }

    /// What is made small.
    pub fn objective(&self) -> Objective {
        let loss = &self.loss;
        let columns = if loss.log_sigma_too {
            Columns::MeanAndLogSigma
        } else {
            Columns::Mean
        };
        let margin = |usual: f64| loss.margin.unwrap_or(usual);
        let loss = match loss.kind {
            LossKind::Uncertainty => PairLoss::Uncertainty {
                margin: margin(0.0),
            },
            LossKind::UncertaintyWithMargin => PairLoss::Uncertainty {
                margin: margin(PUBLISHED_MARGIN),
            },
            LossKind::BradleyTerry => PairLoss::BradleyTerry {
                margin: margin(0.0),
                columns,
            },
            LossKind::BradleyTerryWithMargin => PairLoss::BradleyTerry {
                margin: margin(PUBLISHED_MARGIN),
                columns,
            },
            LossKind::BradleyTerryTies => PairLoss::BradleyTerryTies {
                k: loss.k.unwrap_or(PUBLISHED_TIE_CONSTANT),
                columns,
            },
            LossKind::Displacement => PairLoss::Displacement {
                tau: loss.tau.unwrap_or(1.0),
                columns,
            },
            LossKind::Hpsv2 => PairLoss::Hpsv2 { columns },
            LossKind::Regression => return Objective::Scores,
        };
        Objective::Pairs {
            loss,
            draws: self.loss.draws,
        }
    }

    /// The highest rate of every part that is trained.
    pub fn peak_rates(&self) -> Rates {
        let rates = &self.rates;
        self.trained()
            .parts()
            .into_iter()
            .map(|part| {
                let own = match part {
                    Part::Vision => rates.vision,
                    Part::Merger => rates.merger,
                    Part::Language => rates.language,
                    Part::RewardToken => rates.reward_token,
                    Part::Heads => rates.heads,
                };
                (part, own.unwrap_or(rates.all))
            })
            .collect()
    }

    /// Groups or pairs that make a step.
    pub fn step_size(&self) -> usize {
        self.batch.size * self.batch.accumulate
    }

    /// The norm that gradients are cut down to.
    pub fn clip(&self) -> Option<f64> {
        (self.optimizer.clip > 0.0).then_some(self.optimizer.clip)
    }
}
