//! Which methods there are, the names of their parameters, and who carries them out.
//!
//! Names follow the public schema of the API (12.2027). A method that is not here is answered
//! with "Method not found", never with a made-up result.

use crate::doc::{
    drafts, expression_methods as expression, field_methods as field, inspect_methods as inspect,
    master_methods as master, methods as doc, model_methods as model, search_methods as search,
    search_objects, selection_methods as selection, temp_states, undo,
};
use crate::errors::RpcError;
use crate::global;
use crate::object::{children, data, expand, export, overview, properties, select};
use crate::session::Call;

/// A method of one class.
pub(crate) struct Method {
    pub name: &'static str,
    pub params: &'static [&'static str],
    pub run: fn(&mut Call<'_>) -> Result<(), RpcError>,
}

macro_rules! methods {
    ($($name:literal ($($param:literal),*) => $run:expr,)*) => {
        &[$(Method { name: $name, params: &[$($param),*], run: $run }),*]
    };
}

/// The classes with their methods.
const CLASSES: [(&str, &[Method]); 8] = [
    ("Global", GLOBAL),
    ("Doc", DOC),
    ("GenericObject", OBJECT),
    ("GenericDimension", DIMENSION),
    ("GenericMeasure", MEASURE),
    ("GenericBookmark", BOOKMARK),
    ("GenericVariable", VARIABLE),
    ("Field", FIELD),
];

/// The method `name` of `class`.
pub(crate) fn find(class: &str, name: &str) -> Option<&'static Method> {
    let (_, methods) = CLASSES.iter().find(|(c, _)| *c == class)?;
    methods.iter().find(|m| m.name == name)
}

/// A method a session answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MethodInfo {
    /// The class of the objects that have it; `Global` for handle -1.
    pub class: &'static str,
    /// Its name, unique in its class.
    pub name: &'static str,
    /// The names of its parameters, in their order; may be empty.
    pub params: &'static [&'static str],
}

/// Every method there is, by class in a fixed order. Any other is answered with -32601.
pub fn methods() -> impl Iterator<Item = MethodInfo> {
    CLASSES.iter().flat_map(|(class, methods)| {
        methods.iter().map(|m| MethodInfo {
            class,
            name: m.name,
            params: m.params,
        })
    })
}

const GLOBAL: &[Method] = methods! {
    "AbortRequest" ("qRequestId") => global::nothing,
    "AbortAll" () => global::nothing,
    "CancelRequest" ("qRequestId") => global::nothing,
    "CancelReload" ("qReason") => global::cancel_reload,
    "ConfigureReload" ("qCancelOnScriptError", "qUseErrorData", "qInteractOnError") => global::configure_reload,
    "GetProgress" ("qRequestId") => global::get_progress,
    "QvVersion" () => global::product_version,
    "ProductVersion" () => global::product_version,
    "EngineVersion" () => global::engine_version,
    "QTProduct" () => global::product,
    "GetDocList" () => global::get_doc_list,
    "GetAppEntry" ("qAppID") => global::get_app_entry,
    "GetStreamList" () => global::get_stream_list,
    "GetAuthenticatedUser" () => global::get_authenticated_user,
    "GetUniqueID" () => global::get_unique_id,
    "GetFunctions" ("qGroup") => inspect::get_functions,
    "GetConfiguration" () => global::get_configuration,
    "IsDesktopMode" () => global::no,
    "IsPersonalMode" () => global::no,
    "AllowCreateApp" () => global::no,
    "OpenDoc" ("qDocName", "qUserName", "qPassword", "qSerial", "qNoData") => global::open_doc,
    "GetActiveDoc" () => global::get_active_doc,
};

const DOC: &[Method] = methods! {
    "GetAppLayout" () => doc::get_app_layout,
    "GetAppProperties" () => doc::get_app_properties,
    "SetAppProperties" ("qProp") => doc::set_app_properties,
    "GetLocaleInfo" () => doc::get_locale_info,
    "GetScript" () => doc::get_script,
    "GetScriptEx" () => doc::get_script_ex,
    "SetScript" ("qScript") => doc::set_script,
    "GetEmptyScript" ("qLocalizedMainSection") => doc::get_empty_script,
    "DoSave" ("qFileName") => doc::save,
    "SaveObjects" () => doc::save,
    "DoReload" ("qMode", "qPartial", "qDebug") => doc::do_reload,
    "DoReloadEx" ("qParams") => doc::do_reload_ex,
    "CreateSessionObject" ("qProp") => doc::create_session_object,
    "DestroySessionObject" ("qId") => doc::destroy_session_object,
    "CreateObject" ("qProp") => doc::create_object,
    "DestroyObject" ("qId") => doc::destroy_object,
    "GetObject" ("qId") => doc::get_object,
    "GetObjects" ("qOptions") => doc::get_objects,
    "CloneObject" ("qId") => doc::clone_object,
    "GetAllInfos" () => doc::get_all_infos,
    "ClearUndoBuffer" () => undo::clear,
    "Undo" () => undo::undo,
    "Redo" () => undo::redo,
    "CreateDraft" ("qId") => drafts::create,
    "CommitDraft" ("qId") => drafts::commit,
    "DestroyDraft" ("qId", "qSourceId") => drafts::destroy,
    "StoreTempSelectionState" ("qTTLOfTempState") => temp_states::store,
    "RestoreTempSelectionState" ("qId") => temp_states::restore,
    "ClearAllSoftPatches" () => inspect::clear_all_soft_patches,
    "FindMatchingFields" ("qFieldName", "qTags") => inspect::find_matching_fields,
    "GetFieldAndColumnSamples" ("qFieldsOrColumnsWithWildcards", "qMaxNumberOfValues", "qRandSeed") => inspect::get_samples,
    "GetTableProfileData" ("qTableName") => inspect::get_table_profile,
    "GetAssociationScores" ("qTable1", "qTable2") => model::get_association_scores,
    "GetFieldsFromExpression" ("qExpr") => model::get_fields_from_expression,
    "GetGroupStates" () => model::get_group_states,
    "ApplyGroupStates" ("qGroupStates") => model::apply_group_states,
    "GetFavoriteVariables" () => inspect::get_favourites,
    "SetFavoriteVariables" ("qNames") => inspect::set_favourites,
    "GetFieldDescription" ("qFieldName") => doc::get_field_description,
    "GetMatchingFields" ("qTags", "qMatchingFieldMode") => doc::get_matching_fields,
    "GetTablesAndKeys" ("qWindowSize", "qNullSize", "qCellHeight", "qSyntheticMode", "qIncludeSysVars", "qIncludeProfiling") => doc::get_tables_and_keys,
    "GetTableData" ("qOffset", "qRows", "qSyntheticMode", "qTableName") => doc::get_table_data,
    "SearchSuggest" ("qOptions", "qTerms") => search::suggest,
    "SearchAssociations" ("qOptions", "qTerms", "qPage") => search::associations,
    "SelectAssociations" ("qOptions", "qTerms", "qMatchIx", "qSoftLock") => search::select,
    "SearchResults" ("qOptions", "qTerms", "qPage") => search::results,
    "SearchObjects" ("qOptions", "qTerms", "qPage") => search_objects::search,
    "SearchValues" ("qOptions", "qTerms", "qPage") => search::values,
    "Evaluate" ("qExpression") => expression::evaluate,
    "EvaluateEx" ("qExpression") => expression::evaluate_ex,
    "ExpandExpression" ("qExpression") => expression::expand,
    "CheckExpression" ("qExpr", "qLabels") => expression::check_expression,
    "CheckNumberOrExpression" ("qExpr") => expression::check_number_or_expression,
    "GetField" ("qFieldName", "qStateName") => field::get_field,
    "ClearAll" ("qLockedAlso", "qStateName") => selection::clear_all,
    "LockAll" ("qStateName") => selection::lock_all,
    "UnlockAll" ("qStateName") => selection::unlock_all,
    "Back" () => selection::back,
    "Forward" () => selection::forward,
    "BackCount" () => selection::back_count,
    "ForwardCount" () => selection::forward_count,
    "AbortModal" ("qAccept") => selection::abort_modal,
    "AddAlternateState" ("qStateName") => selection::add_alternate_state,
    "RemoveAlternateState" ("qStateName") => selection::remove_alternate_state,
    "AddSessionAlternateState" ("qStateName", "qSourceStateName") => selection::add_session_alternate_state,
    "RemoveSessionAlternateState" ("qStateName") => selection::remove_session_alternate_state,
    "GetSetAnalysis" ("qStateName", "qBookmarkId") => selection::get_set_analysis,
    "CreateBookmark" ("qProp") => selection::create_bookmark,
    "CreateBookmarkEx" ("qProp", "qObjectIdsToPatch") => selection::create_bookmark,
    "ReplaceBookmark" ("qId", "qIgnorePatches", "qObjectIdsToPatch") => selection::replace_bookmark,
    "ApplyBookmark" ("qId") => selection::apply_bookmark,
    "GetBookmark" ("qId") => master::get_bookmark,
    "GetBookmarks" ("qOptions") => master::get_bookmarks,
    "DestroyBookmark" ("qId") => master::destroy_bookmark,
    "CloneBookmark" ("qId") => master::clone_bookmark,
    "CreateTemporaryBookmark" ("qOptions", "qObjectIdsToPatch") => master::create_temporary_bookmark,
    "ApplyTemporaryBookmark" ("qId") => master::apply_temporary_bookmark,
    "CreateDimension" ("qProp") => master::create_dimension,
    "GetDimension" ("qId") => master::get_dimension,
    "DestroyDimension" ("qId") => master::destroy_dimension,
    "CloneDimension" ("qId") => master::clone_dimension,
    "CreateMeasure" ("qProp") => master::create_measure,
    "GetMeasure" ("qId") => master::get_measure,
    "GetMeasureWithLabel" ("qLabel") => master::get_measure_with_label,
    "DestroyMeasure" ("qId") => master::destroy_measure,
    "CloneMeasure" ("qId") => master::clone_measure,
    "CreateVariableEx" ("qProp") => master::create_variable,
    "CreateSessionVariable" ("qProp") => master::create_session_variable,
    "GetVariables" ("qListDef") => master::get_variables,
    "GetVariableById" ("qId") => master::get_variable_by_id,
    "GetVariableByName" ("qName") => master::get_variable_by_name,
    "DestroyVariableById" ("qId") => master::destroy_variable_by_id,
    "DestroyVariableByName" ("qName") => master::destroy_variable_by_name,
    "DestroySessionVariable" ("qId") => master::destroy_variable_by_id,
    "DestroySessionVariableById" ("qId") => master::destroy_variable_by_id,
    "DestroySessionVariableByName" ("qName") => master::destroy_variable_by_name,
};

const OBJECT: &[Method] = methods! {
    "GetLayout" () => properties::get_layout,
    "GetProperties" () => properties::get_properties,
    "GetEffectiveProperties" () => properties::get_effective_properties,
    "SetProperties" ("qProp") => properties::set_properties,
    "ApplyPatches" ("qPatches", "qSoftPatch") => properties::apply_patches,
    "ClearSoftPatches" () => properties::clear_soft_patches,
    "GetFullPropertyTree" () => properties::get_full_property_tree,
    "SetFullPropertyTree" ("qPropEntry") => properties::set_full_property_tree,
    "CopyFrom" ("qFromId") => properties::copy_from,
    "GetInfo" () => properties::get_info,
    "GetLinkedObjects" () => properties::get_linked_objects,
    "Publish" () => properties::publish,
    "UnPublish" () => properties::unpublish,
    "Approve" () => properties::approve,
    "UnApprove" () => properties::unapprove,
    "GetChild" ("qId") => children::get_child,
    "GetParent" () => children::get_parent,
    "GetChildInfos" () => children::get_child_infos,
    "CreateChild" ("qProp", "qPropForThis") => children::create_child,
    "DestroyChild" ("qId", "qPropForThis") => children::destroy_child,
    "DestroyAllChildren" ("qPropForThis") => children::destroy_all_children,
    "SetChildArrayOrder" ("qIds") => children::set_child_array_order,
    "GetListObjectData" ("qPath", "qPages") => data::get_list_object_data,
    "GetHyperCubeData" ("qPath", "qPages") => data::get_hypercube_data,
    "GetHyperCubeReducedData" ("qPath", "qPages", "qZoomFactor", "qReductionMode") => data::get_hypercube_reduced_data,
    "GetHyperCubePivotData" ("qPath", "qPages") => data::get_hypercube_pivot_data,
    "GetHyperCubeStackData" ("qPath", "qPages", "qMaxNbrCells") => data::get_hypercube_stack_data,
    "GetHyperCubeTreeData" ("qPath", "qNodeOptions") => data::get_hypercube_tree_data,
    "GetHyperCubeBinnedData" ("qPath", "qPages", "qViewport", "qDataRanges", "qMaxNbrCells", "qQueryLevel", "qBinningMethod") => overview::get_hypercube_binned_data,
    "GetHyperCubeContinuousData" ("qPath", "qOptions", "qReverseSort") => overview::get_hypercube_continuous_data,
    "ExportData" ("qFileType", "qPath", "qFileName", "qExportState", "qServeOnce") => export::export_data,
    "ExpandLeft" ("qPath", "qRow", "qCol", "qAll") => expand::expand_left,
    "ExpandTop" ("qPath", "qRow", "qCol", "qAll") => expand::expand_top,
    "CollapseLeft" ("qPath", "qRow", "qCol", "qAll") => expand::collapse_left,
    "CollapseTop" ("qPath", "qRow", "qCol", "qAll") => expand::collapse_top,
    "DrillUp" ("qPath", "qDimNo", "qNbrSteps") => expand::drill_up,
    "BeginSelections" ("qPaths") => select::begin_selections,
    "EndSelections" ("qAccept") => select::end_selections,
    "ResetMadeSelections" () => select::reset_made_selections,
    "ClearSelections" ("qPath", "qColIndices") => select::clear_selections,
    "Lock" ("qPath", "qColIndices") => select::lock,
    "Unlock" ("qPath", "qColIndices") => select::unlock,
    "SelectListObjectValues" ("qPath", "qValues", "qToggleMode", "qSoftLock") => select::select_list_values,
    "SelectListObjectPossible" ("qPath", "qSoftLock") => select::select_list_possible,
    "SelectListObjectExcluded" ("qPath", "qSoftLock") => select::select_list_excluded,
    "SelectListObjectAlternative" ("qPath", "qSoftLock") => select::select_list_alternative,
    "SelectListObjectAll" ("qPath", "qSoftLock") => select::select_list_all,
    "SelectListObjectContinuousRange" ("qPath", "qRanges", "qSoftLock") => select::select_list_range,
    "SearchListObjectFor" ("qPath", "qMatch") => select::search,
    "AbortListObjectSearch" ("qPath") => select::abort_search,
    "AcceptListObjectSearch" ("qPath", "qToggleMode", "qSoftLock") => select::accept_search,
    "SelectHyperCubeValues" ("qPath", "qDimNo", "qValues", "qToggleMode") => select::select_cube_values,
    "SelectHyperCubeCells" ("qPath", "qRowIndices", "qColIndices", "qSoftLock", "qDeselectOnlyOneSelected") => select::select_cube_cells,
    "SelectPivotCells" ("qPath", "qSelections", "qSoftLock", "qDeselectOnlyOneSelected") => select::select_pivot_cells,
    "RangeSelectHyperCubeValues" ("qPath", "qRanges", "qColumnsToSelect", "qOrMode", "qDeselectOnlyOneSelected") => select::range_select,
    "MultiRangeSelectHyperCubeValues" ("qPath", "qRanges", "qOrMode", "qDeselectOnlyOneSelected") => select::multi_range_select,
    "SelectHyperCubeContinuousRange" ("qPath", "qRanges", "qSoftLock") => select::continuous_range,
};

const DIMENSION: &[Method] = methods! {
    "GetLayout" () => master::get_layout,
    "GetProperties" () => master::get_properties,
    "SetProperties" ("qProp") => master::set_properties,
    "ApplyPatches" ("qPatches") => master::apply_patches,
    "GetInfo" () => master::get_info,
    "GetDimension" () => master::get_dim,
    "GetLinkedObjects" () => master::get_linked_objects,
    "StepCycle" ("qStep") => master::step_cycle,
    "SetActiveField" ("qIx") => master::set_active_field,
    "GetActiveField" () => master::get_active_field,
};

const MEASURE: &[Method] = methods! {
    "GetLayout" () => master::get_layout,
    "GetProperties" () => master::get_properties,
    "SetProperties" ("qProp") => master::set_properties,
    "ApplyPatches" ("qPatches") => master::apply_patches,
    "GetInfo" () => master::get_info,
    "GetMeasure" () => master::get_meas,
    "GetLinkedObjects" () => master::get_linked_objects,
};

const BOOKMARK: &[Method] = methods! {
    "GetLayout" () => master::get_layout,
    "GetProperties" () => master::get_properties,
    "SetProperties" ("qProp") => master::set_properties,
    "ApplyPatches" ("qPatches") => master::apply_patches,
    "GetInfo" () => master::get_info,
    "Apply" () => selection::apply_this,
    "GetFieldValues" ("qField", "qGetExcludedValues", "qDataPage") => selection::get_field_values,
};

const VARIABLE: &[Method] = methods! {
    "GetLayout" () => master::get_layout,
    "GetProperties" () => master::get_properties,
    "SetProperties" ("qProp") => master::set_properties,
    "ApplyPatches" ("qPatches") => master::apply_patches,
    "GetInfo" () => master::get_info,
    "GetRawContent" () => master::get_raw_content,
    "SetStringValue" ("qVal") => master::set_string_value,
    "SetNumValue" ("qVal") => master::set_num_value,
    "SetDualValue" ("qText", "qNum") => master::set_dual_value,
};

const FIELD: &[Method] = methods! {
    "GetCardinal" () => field::get_cardinal,
    "GetAndMode" () => field::get_and_mode,
    "GetNxProperties" () => field::get_nx_properties,
    "SelectValues" ("qFieldValues", "qToggleMode", "qSoftLock") => field::select_values,
    "LowLevelSelect" ("qValues", "qToggleMode", "qSoftLock") => field::low_level_select,
    "Select" ("qMatch", "qSoftLock", "qExcludedValuesMode") => field::select_match,
    "ToggleSelect" ("qMatch", "qSoftLock", "qExcludedValuesMode") => field::toggle_select,
    "SelectPossible" ("qSoftLock") => field::select_possible,
    "SelectExcluded" ("qSoftLock") => field::select_excluded,
    "SelectAlternative" ("qSoftLock") => field::select_alternative,
    "SelectAll" ("qSoftLock") => field::select_all,
    "Clear" () => field::clear,
    "ClearAllButThis" ("qSoftLock") => field::clear_all_but_this,
    "Lock" () => field::lock,
    "Unlock" () => field::unlock,
};
