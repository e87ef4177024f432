//! The methods without which a chart does not draw or cannot be selected in: each is called,
//! and answered with a result, in some conversation of `corpus/rpc`.
//!
//! Rules: reference qix §4, tier 1 (75 methods of the schema 12.2027).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

const TIER_1: [(&str, &str); 6] = [
    ("Global", "GetActiveDoc CancelRequest OpenDoc EngineVersion"),
    (
        "Doc",
        "GetField EvaluateEx ClearAll Back Forward GetAppLayout CreateSessionObject \
         DestroySessionObject GetObject ClearUndoBuffer GetDimension GetMeasure GetAllInfos \
         AbortModal",
    ),
    (
        "GenericObject",
        "GetLayout GetListObjectData GetHyperCubeData GetHyperCubeReducedData \
         GetHyperCubePivotData GetHyperCubeStackData GetHyperCubeContinuousData \
         GetHyperCubeBinnedData ApplyPatches ClearSoftPatches SetProperties GetProperties \
         GetEffectiveProperties SetFullPropertyTree GetFullPropertyTree GetInfo ClearSelections \
         SelectListObjectValues SelectListObjectPossible SelectListObjectExcluded \
         SelectListObjectAlternative SelectListObjectAll SearchListObjectFor \
         AbortListObjectSearch AcceptListObjectSearch ExpandLeft ExpandTop CollapseLeft \
         CollapseTop DrillUp Lock Unlock SelectHyperCubeValues SelectHyperCubeCells \
         SelectPivotCells RangeSelectHyperCubeValues MultiRangeSelectHyperCubeValues \
         SelectHyperCubeContinuousRange BeginSelections EndSelections ResetMadeSelections",
    ),
    (
        "GenericDimension",
        "GetLayout GetProperties GetDimension StepCycle SetActiveField GetActiveField",
    ),
    ("GenericMeasure", "GetLayout GetProperties GetMeasure"),
    (
        "Field",
        "SelectPossible SelectExcluded SelectAll Lock Unlock SelectAlternative Clear",
    ),
];

/// Class and method of every request that a conversation answers with a result.
fn answered() -> BTreeSet<(String, String)> {
    let mut seen = BTreeSet::new();
    for file in std::fs::read_dir(super::corpus()).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
            .collect();
        let mut classes = BTreeMap::from([(-1, "Global".to_owned())]);
        for pair in lines.chunks_exact(2) {
            let read = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_default();
            let (request, reply) = (read(pair[0]), read(pair[1]));
            let Some(result) = reply.get("result") else {
                continue;
            };
            let handle = request["handle"].as_i64().unwrap_or(-1);
            if let (Some(class), Some(method)) = (classes.get(&handle), request["method"].as_str())
            {
                seen.insert((class.clone(), method.to_owned()));
            }
            let made = &result["qReturn"];
            if let (Some(handle), Some(class)) = (made["qHandle"].as_i64(), made["qType"].as_str())
            {
                classes.insert(handle, class.to_owned());
            }
        }
    }
    seen
}

#[test]
fn every_method_a_chart_needs_has_a_conversation() {
    let answered = answered();
    let wanted: Vec<(String, String)> = TIER_1
        .iter()
        .flat_map(|(class, methods)| {
            methods
                .split_whitespace()
                .map(|m| ((*class).to_owned(), m.to_owned()))
        })
        .collect();
    assert_eq!(wanted.len(), 75);
    let missing: Vec<_> = wanted.iter().filter(|w| !answered.contains(*w)).collect();
    assert!(missing.is_empty(), "no conversation answers {missing:?}");
}
