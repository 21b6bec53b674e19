"""The routes of access control policies."""

from offhook.directory.paths import V2
from offhook.directory.policies import wire
from offhook.directory.policies.service import Policies
from offhook.directory.work import Work
from offhook.kit.operation import Operation

TAG = "Access control policies"


def operations(work: Work) -> list[Operation]:
    """The operations of this subject."""
    policies = Policies(work)
    base = V2 + "/accesscontrolpolicies"
    one, assigned = "The policy.", "The user, and every target at which it has the policy now."
    return [
        Operation(
            id="accesscontrolpolicies.list",
            method="GET",
            path=base,
            tag=TAG,
            summary="List access control policies",
            description="The company's policies, oldest first.",
            handler=policies.page,
            scope="directory:read",
            query=wire.PolicyListQuery,
            reply=wire.PolicyPage,
            reply_description="A page of policies.",
            better="include_deleted lists those that can be brought back, too",
        ),
        Operation(
            id="accesscontrolpolicies.create",
            method="POST",
            path=base,
            tag=TAG,
            summary="Create an access control policy",
            description="What users may change with keys of their own, and at which level. Who may change a thing may "
            "read it.",
            better="a warning names permissions that have no effect here",
            handler=policies.create,
            scope="directory:write",
            body=wire.PolicyIn,
            reply=wire.PolicyOut,
            reply_description=one,
            creates=True,
            refusals=(409,),
        ),
        Operation(
            id="accesscontrolpolicies.get",
            method="GET",
            path=base + "/{id}",
            tag=TAG,
            summary="Show an access control policy",
            description="A deleted one is shown, too, with its state.",
            handler=policies.get,
            scope="directory:read",
            reply=wire.PolicyOut,
            reply_description=one,
        ),
        Operation(
            id="accesscontrolpolicies.update",
            method="PATCH",
            path=base + "/{id}",
            tag=TAG,
            summary="Change an access control policy",
            description="What is not sent stays as it is; state active brings a deleted policy back, with no users.",
            handler=policies.change,
            scope="directory:write",
            body=wire.PolicyPatch,
            reply=wire.PolicyOut,
            reply_description=one,
            refusals=(409, 412),
        ),
        Operation(
            id="accesscontrolpolicies.delete",
            method="DELETE",
            path=base + "/{id}",
            tag=TAG,
            summary="Delete an access control policy",
            description="Nobody has it any more; it can still be read, and brought back.",
            handler=policies.delete,
            scope="directory:write",
            reply=wire.PolicyOut,
            reply_description="The policy, its state deleted.",
            refusals=(409, 412),
        ),
        Operation(
            id="accesscontrolpolicies.assign",
            method="POST",
            path=base + "/{id}/assign",
            tag=TAG,
            summary="Give a user a policy",
            description="At the policy's level: for an office or call center, target_id says which. It counts from the "
            "next request of a key of the user.",
            handler=policies.assign,
            scope="directory:write",
            body=wire.AssignIn,
            reply=wire.PolicyAssignmentOut,
            reply_description=assigned,
            creates=True,
            refusals=(409,),
        ),
        Operation(
            id="accesscontrolpolicies.assignments",
            method="GET",
            path=base + "/{id}/assignments",
            tag=TAG,
            summary="List who has a policy",
            description="User by user, each with the targets at which it has the policy.",
            handler=policies.assignment_page,
            scope="directory:read",
            query=wire.PolicyAssignmentListQuery,
            reply=wire.PolicyAssignmentPage,
            reply_description="A page of assignments.",
        ),
        Operation(
            id="accesscontrolpolicies.unassign",
            method="POST",
            path=base + "/{id}/unassign",
            tag=TAG,
            summary="Take a policy from a user",
            description="At one target, or with unassign_all at all of them.",
            handler=policies.unassign,
            scope="directory:write",
            body=wire.UnassignIn,
            reply=wire.PolicyAssignmentOut,
            reply_description="The user, and the targets at which it still has the policy.",
            refusals=(409,),
        ),
    ]
