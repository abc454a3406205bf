//! Groups that accounts are in and the configuration does not define any more. Applications do not receive them. Their members
//! stay, because a file that is missing for a while must not remove every membership; the log names these groups to the operator.

use anteroom_domain::account::GroupName;

use crate::context::call::Call;
use crate::error::FlowError;

/// Writes each to the log. To be called at the start and after each change of the configuration.
pub async fn warn(call: &Call) -> Result<(), FlowError> {
    for (group, members) in undefined(call).await? {
        tracing::warn!(
            group = group.as_str(),
            members,
            "accounts are in a group that is not in the configuration: applications are not told of it. Where it is defined \
             again, they are its members again; `anteroom user group remove` takes one out"
        );
    }
    Ok(())
}

/// The groups, and how many accounts are in each.
pub async fn undefined(call: &Call) -> Result<Vec<(GroupName, u64)>, FlowError> {
    let defined = call.snapshot();
    let in_use = call.store().groups_in_use().await?;
    Ok(in_use.into_iter().filter(|(group, _)| !defined.groups.contains(group)).collect())
}
