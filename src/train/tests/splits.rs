//! What is learned from and what is measured on, where the data was divided before.

use std::collections::HashSet;

use super::*;
use crate::data::split::{parse_shares, split};

fn divided(field: &Field, shares: &str) {
    let workspace = Workspace::open(field.dir.path()).unwrap();
    let shares = parse_shares(shares).unwrap();
    split(&workspace, &shares, 3, &mut |_, _| {}).unwrap();
}

/// The keys of the groups in a split.
fn keys(field: &Field, name: &str) -> HashSet<String> {
    let mut keys = HashSet::new();
    let workspace = Workspace::open(field.dir.path()).unwrap();
    workspace
        .each_group(|group| {
            if group.split.as_deref() == Some(name) {
                keys.insert(group.key);
            }
            Ok(())
        })
        .unwrap();
    keys
}

fn gathered(material: &Material) -> [HashSet<String>; 2] {
    [&material.training, &material.validation]
        .map(|subjects| subjects.iter().map(|s| s.key.clone()).collect())
}

#[test]
fn stored_splits_decide_what_is_learned_and_what_is_measured() {
    let field = Field::new();
    divided(&field, "train=0.6,validation=0.2,test=0.2");
    let [training, validation] = gathered(&Field::material(&field.plan("")));
    assert_eq!(training, keys(&field, "train"));
    assert_eq!(validation, keys(&field, "validation"));
    let plan = field.plan("data.validation_split = \"test\"");
    let [training, validation] = gathered(&Field::material(&plan));
    assert_eq!(training, keys(&field, "train"));
    assert_eq!(validation, keys(&field, "test"));
}

#[test]
fn without_a_validation_split_a_share_of_the_training_one_is_measured() {
    let field = Field::new();
    divided(&field, "train=0.7,test=0.3");
    let [training, validation] = gathered(&Field::material(&field.plan("")));
    let both: HashSet<String> = training.union(&validation).cloned().collect();
    assert_eq!(both, keys(&field, "train"));
    assert!(!validation.is_empty());
}

#[test]
fn a_split_that_nothing_is_in_is_refused_with_those_there_are() {
    let field = Field::new();
    divided(&field, "train=0.7,test=0.3");
    let plan = field.plan("data.train_split = \"tain\"");
    let error = Material::gather(&plan, None).unwrap_err().to_string();
    assert!(
        error.contains("no group is in the split 'tain' (there are test, train)"),
        "{error}"
    );
}
