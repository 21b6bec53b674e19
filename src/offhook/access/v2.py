"""Every operation of the v2 API, as facts: its id, method, path, limit, and what it is for in a few words.

What this server has built comes from the subjects; the rest of this table answers 501 and names itself, so that a
client learns that the operation is known and missing rather than mistyped.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from offhook.kit.operation import Limit, Method, Operation

PREFIX = "/api/v2"

# Id, method, path, summary. Paths lack the prefix, which all but oauth2 have. `:text` marks an id that is not a number:
# `me` is a user, and a contact's id holds letters.
_TABLE = """
accesscontrolpolicies.list GET /accesscontrolpolicies List access control policies
accesscontrolpolicies.create POST /accesscontrolpolicies Create an access control policy
accesscontrolpolicies.get GET /accesscontrolpolicies/{id} Show an access control policy
accesscontrolpolicies.update PATCH /accesscontrolpolicies/{id} Change an access control policy
accesscontrolpolicies.delete DELETE /accesscontrolpolicies/{id} Delete an access control policy
accesscontrolpolicies.assign POST /accesscontrolpolicies/{id}/assign Give a user a policy
accesscontrolpolicies.assignments GET /accesscontrolpolicies/{id}/assignments List who has a policy
accesscontrolpolicies.unassign POST /accesscontrolpolicies/{id}/unassign Take a policy from a user
app_settings.get GET /app/settings Show an app's settings
blockednumbers.list GET /blockednumbers List blocked numbers
blockednumbers.add POST /blockednumbers/add Block numbers
blockednumbers.remove POST /blockednumbers/remove Unblock numbers
blockednumbers.get GET /blockednumbers/{number} Show a blocked number
call.list GET /call List calls
call.call POST /call Start a call
call.initiate_ivr_call POST /call/initiate_ivr_call Call out with a menu
call.get_call_info GET /call/{id} Show a call
call.actions.hangup PUT /call/{id}/actions/hangup Hang up a call
call.put_call_labels PUT /call/{id}/labels Set a call's labels
call.participants.add POST /call/{id}/participants/add Add someone to a call
call.transfer_call POST /call/{id}/transfer Transfer a call
call.unpark POST /call/{id}/unpark Take a call off park
call.callback POST /callback Queue a callback
call.validate_callback POST /callback/validate Check a callback request
callcenters.listall GET /callcenters List call centers
callcenters.create POST /callcenters Create a call center
callcenters.operators.get.dutystatus GET /callcenters/operators/{id}/dutystatus Show an operator's duty status
callcenters.operators.dutystatus PATCH /callcenters/operators/{id}/dutystatus Set an operator's duty status
callcenters.operators.get.skilllevel GET /callcenters/{call_center_id}/operators/{user_id}/skill Show skill level
callcenters.operators.skilllevel PATCH /callcenters/{call_center_id}/operators/{user_id}/skill Set skill level
callcenters.get GET /callcenters/{id} Show a call center
callcenters.update PATCH /callcenters/{id} Change a call center
callcenters.delete DELETE /callcenters/{id} Delete a call center
callcenters.operators.get GET /callcenters/{id}/operators List a call center's operators
callcenters.operators.post POST /callcenters/{id}/operators Add a call center operator
callcenters.operators.delete DELETE /callcenters/{id}/operators Remove a call center operator
callcenters.status GET /callcenters/{id}/status Show a call center's status
calllabel.list GET /calllabels List call labels
call_review_share_link.create POST /callreviewsharelink Share a call review
call_review_share_link.get GET /callreviewsharelink/{id:text} Show a shared call review
call_review_share_link.update PUT /callreviewsharelink/{id:text} Change a shared call review
call_review_share_link.delete DELETE /callreviewsharelink/{id:text} Stop sharing a call review
callrouters.list GET /callrouters List call routers
callrouters.create POST /callrouters Create a call router
callrouters.get GET /callrouters/{id} Show a call router
callrouters.update PATCH /callrouters/{id} Change a call router
callrouters.delete DELETE /callrouters/{id} Delete a call router
numbers.assign_call_router_number.post POST /callrouters/{id}/assign_number Give a call router a number
channels.list GET /channels List channels
channels.post POST /channels Create a channel
channels.get GET /channels/{id} Show a channel
channels.delete DELETE /channels/{id} Delete a channel
channels.members.list GET /channels/{id}/members List a channel's members
channels.members.post POST /channels/{id}/members Add a channel member
channels.members.delete DELETE /channels/{id}/members Remove a channel member
coaching_team.listall GET /coachingteams List coaching teams
coaching_team.get GET /coachingteams/{id} Show a coaching team
coaching_team.members.get GET /coachingteams/{id}/members List a coaching team's members
coaching_team.members.add POST /coachingteams/{id}/members Add a coaching team member
company.get GET /company Show the company
company.update_settings PUT /company/settings Change company settings
company.sms_opt_out GET /company/{id:text}/smsoptout List SMS opt-outs
conference-meetings.list GET /conference/meetings List meeting summaries
conference-rooms.list GET /conference/rooms List meeting rooms
contacts.list GET /contacts List contacts
contacts.create POST /contacts Create a contact
contacts.create_with_uid PUT /contacts Create or replace a contact
contacts.get GET /contacts/{id:text} Show a contact
contacts.update PATCH /contacts/{id:text} Change a contact
contacts.delete DELETE /contacts/{id:text} Delete a contact
custom_ivrs.get GET /customivrs List voice prompts
ivr.create POST /customivrs Upload a voice prompt
ivr_details.update PATCH /customivrs/{ivr_id:text} Rename a voice prompt
ivr.update PATCH /customivrs/{target_type}/{target_id}/{ivr_type} Choose a target's voice prompt
ivr.delete DELETE /customivrs/{target_type}/{target_id}/{ivr_type} Delete a target's voice prompt
departments.listall GET /departments List departments
departments.create POST /departments Create a department
departments.get GET /departments/{id} Show a department
departments.update PATCH /departments/{id} Change a department
departments.delete DELETE /departments/{id} Delete a department
departments.operators.get GET /departments/{id}/operators List a department's operators
departments.operators.post POST /departments/{id}/operators Add a department operator
departments.operators.delete DELETE /departments/{id}/operators Remove a department operator
faxline.create POST /faxline Assign a fax line
numbers.list GET /numbers List phone numbers
numbers.assign_target_number.post POST /numbers/assign Assign any free number
format.post POST /numbers/format Format a phone number
numbers.swap_number.post POST /numbers/swap Swap a target's number
numbers.get GET /numbers/{number} Show a phone number
numbers.delete DELETE /numbers/{number} Unassign a phone number
numbers.assign_number.post POST /numbers/{number}/assign Assign a phone number
oauth2.authorize.get GET /oauth2/authorize Ask a user for access
oauth2.deauthorize.post POST /oauth2/deauthorize Revoke an app's tokens
oauth2.token.post POST /oauth2/token Redeem a code for tokens
offices.list GET /offices List offices
offices.create POST /offices Create an office
offices.primary.get GET /offices/primary Show the primary office
offices.get GET /offices/{id} Show an office
offices.update PATCH /offices/{id} Change an office's hours
numbers.assign_office_number.post POST /offices/{id}/assign_number Give an office a number
offices.e911.get GET /offices/{id}/e911 Show an office's emergency address
offices.e911.update PUT /offices/{id}/e911 Set an office's emergency address
offices.offdutystatuses.get GET /offices/{id}/offdutystatuses List off-duty reasons
offices.operators.get GET /offices/{id}/operators List an office's operators
offices.operators.post POST /offices/{id}/operators Add an office operator
offices.operators.delete DELETE /offices/{id}/operators Remove an office operator
numbers.office_unassign_number.post POST /offices/{id}/unassign_number Take a number from an office
plan.available_licenses.get GET /offices/{office_id}/available_licenses Show an office's free licences
callcenters.list GET /offices/{office_id}/callcenters List an office's call centers
departments.list GET /offices/{office_id}/departments List an office's departments
plan.get GET /offices/{office_id}/plan Show an office's plan
coaching_team.list GET /offices/{office_id}/teams List an office's coaching teams
recording_share_link.create POST /recordingsharelink Share a recording
recording_share_link.get GET /recordingsharelink/{id:text} Show a shared recording
recording_share_link.update PUT /recordingsharelink/{id:text} Change a shared recording
recording_share_link.delete DELETE /recordingsharelink/{id:text} Stop sharing a recording
rooms.list GET /rooms List rooms
rooms.post POST /rooms Create a room
deskphones.rooms.create_international_pin POST /rooms/international_pin Make a room phone PIN
rooms.get GET /rooms/{id} Show a room
rooms.patch PATCH /rooms/{id} Change a room
rooms.delete DELETE /rooms/{id} Delete a room
numbers.assign_room_number.post POST /rooms/{id}/assign_number Give a room a number
numbers.room_unassign_number.post POST /rooms/{id}/unassign_number Take a number from a room
deskphones.rooms.list GET /rooms/{parent_id}/deskphones List a room's desk phones
deskphones.rooms.get GET /rooms/{parent_id}/deskphones/{id:text} Show a room's desk phone
deskphones.rooms.delete DELETE /rooms/{parent_id}/deskphones/{id:text} Delete a room's desk phone
schedule_reports.list GET /schedulereports List scheduled reports
schedule_reports.create POST /schedulereports Schedule a report
schedule_reports.get GET /schedulereports/{id} Show a scheduled report
schedule_reports.update PATCH /schedulereports/{id} Change a scheduled report
schedule_reports.delete DELETE /schedulereports/{id} Delete a scheduled report
sms.send POST /sms Send a text message
stats.create POST /stats Start a statistics report
stats.get GET /stats/{id:text} Show a statistics report
webhook_agent_status_event_subscription.list GET /subscriptions/agent_status List duty subscriptions
webhook_agent_status_event_subscription.create POST /subscriptions/agent_status Subscribe to duty changes
webhook_agent_status_event_subscription.get GET /subscriptions/agent_status/{id} Show a duty subscription
webhook_agent_status_event_subscription.update PATCH /subscriptions/agent_status/{id} Change a duty subscription
webhook_agent_status_event_subscription.delete DELETE /subscriptions/agent_status/{id} Delete a duty subscription
webhook_call_event_subscription.list GET /subscriptions/call List call subscriptions
webhook_call_event_subscription.create POST /subscriptions/call Subscribe to call events
webhook_call_event_subscription.get GET /subscriptions/call/{id} Show a call subscription
webhook_call_event_subscription.update PATCH /subscriptions/call/{id} Change a call subscription
webhook_call_event_subscription.delete DELETE /subscriptions/call/{id} Delete a call subscription
webhook_change_log_event_subscription.list GET /subscriptions/changelog List change log subscriptions
webhook_change_log_event_subscription.create POST /subscriptions/changelog Subscribe to the change log
webhook_change_log_event_subscription.get GET /subscriptions/changelog/{id} Show a change log subscription
webhook_change_log_event_subscription.update PATCH /subscriptions/changelog/{id} Alter a change log subscription
webhook_change_log_event_subscription.delete DELETE /subscriptions/changelog/{id} Delete a change log subscription
webhook_contact_event_subscription.list GET /subscriptions/contact List contact subscriptions
webhook_contact_event_subscription.create POST /subscriptions/contact Subscribe to contact changes
webhook_contact_event_subscription.get GET /subscriptions/contact/{id} Show a contact subscription
webhook_contact_event_subscription.update PATCH /subscriptions/contact/{id} Change a contact subscription
webhook_contact_event_subscription.delete DELETE /subscriptions/contact/{id} Delete a contact subscription
webhook_sms_event_subscription.list GET /subscriptions/sms List SMS subscriptions
webhook_sms_event_subscription.create POST /subscriptions/sms Subscribe to text messages
webhook_sms_event_subscription.get GET /subscriptions/sms/{id} Show an SMS subscription
webhook_sms_event_subscription.update PATCH /subscriptions/sms/{id} Change an SMS subscription
webhook_sms_event_subscription.delete DELETE /subscriptions/sms/{id} Delete an SMS subscription
transcripts.get GET /transcripts/{call_id} Show a call's transcript
transcripts.get_url GET /transcripts/{call_id}/url Show a transcript's address
userdevices.list GET /userdevices List user devices
userdevices.get GET /userdevices/{id:text} Show a user device
users.list GET /users List users
users.create POST /users Create a user
users.get GET /users/{id:text} Show a user
users.update PATCH /users/{id:text} Change a user
users.delete DELETE /users/{id:text} Delete a user
users.update_active_call PATCH /users/{id}/activecall Switch recording of a call
numbers.assign_user_number.post POST /users/{id}/assign_number Give a user a number
caller_id.users.get GET /users/{id:text}/caller_id Show a user's caller IDs
caller_id.users.post POST /users/{id:text}/caller_id Choose a user's caller ID
users.e911.get GET /users/{id:text}/e911 Show a user's emergency address
users.e911.update PUT /users/{id:text}/e911 Set a user's emergency address
users.initiate_call POST /users/{id:text}/initiate_call Start a call for a user
users.move_office.patch PATCH /users/{id:text}/move_office Move a user between offices
users.personas.get GET /users/{id:text}/personas List a user's personas
screen_pop.initiate POST /users/{id}/screenpop Open a page for a user
users.update_status PATCH /users/{id:text}/status Set a user's status
users.toggle_dnd PATCH /users/{id:text}/togglednd Switch do-not-disturb
users.toggle_call_vi PATCH /users/{id}/togglevi Switch voice intelligence of a call
numbers.user_unassign_number.post POST /users/{id}/unassign_number Take a number from a user
deskphones.users.list GET /users/{parent_id:text}/deskphones List a user's desk phones
deskphones.users.get GET /users/{parent_id:text}/deskphones/{id:text} Show a user's desk phone
deskphones.users.delete DELETE /users/{parent_id:text}/deskphones/{id:text} Delete a user's desk phone
webhooks.list GET /webhooks List webhooks
webhooks.create POST /webhooks Create a webhook
webhooks.get GET /webhooks/{id} Show a webhook
webhook.update PATCH /webhooks/{id} Change a webhook
webhooks.delete DELETE /webhooks/{id} Delete a webhook
websockets.list GET /websockets List websockets
websockets.create POST /websockets Create a websocket
websockets.get GET /websockets/{id} Show a websocket
websockets.update PATCH /websockets/{id} Change a websocket
websockets.delete DELETE /websockets/{id} Delete a websocket
"""

# The 193 operations of the published document, and these three of the newer one.
NEWER = frozenset({"company.update_settings", "offices.primary.get", "offices.update"})

USUAL = Limit(1200, 60)

# All others have the usual limit. Where v2 has two for one operation, the sterner of those that a company has is meant.
_LIMITS = {
    "call.call": Limit(5, 60),
    "call.get_call_info": Limit(10, 60),
    "call.put_call_labels": Limit(250, 60),
    "call_review_share_link.create": Limit(250, 60),
    "call_review_share_link.update": Limit(250, 60),
    "callrouters.update": Limit(1, 300),
    "company.sms_opt_out": Limit(250, 60),
    "contacts.create": Limit(100, 60),
    "contacts.create_with_uid": Limit(100, 60),
    "recording_share_link.create": Limit(100, 60),
    "recording_share_link.update": Limit(100, 60),
    "screen_pop.initiate": Limit(5, 60),
    "sms.send": Limit(100, 60),
    "stats.create": Limit(200, 3600),
    "users.initiate_call": Limit(5, 60),
    "webhooks.create": Limit(100, 60),
    "websockets.create": Limit(250, 60),
}


@dataclass(frozen=True, slots=True)
class V2Operation:
    """An operation of v2; `path` is a template as kit/router.py reads it, with its prefix."""

    id: str
    method: Method
    path: str
    summary: str
    limit: Limit

    @property
    def tag(self) -> str:
        """The resource that it belongs to, which is how v2 groups its operations: `offices`."""
        return self.path.removeprefix(PREFIX).split("/")[1]


def _operation(line: str) -> V2Operation:
    id, method, path, summary = line.split(maxsplit=3)
    prefix = "" if path.startswith("/oauth2/") else PREFIX
    return V2Operation(id, cast(Method, method), prefix + path, summary, _LIMITS.get(id, USUAL))


V2_OPERATIONS: Mapping[str, V2Operation] = MappingProxyType(
    {operation.id: operation for operation in map(_operation, _TABLE.strip().splitlines())}
)


def unbuilt(built_ids: Collection[str]) -> list[Operation]:
    """The operations that are not among `built_ids`, without a handler: each answers 501 under its own limit."""
    return [
        Operation(
            id=known.id, method=known.method, path=known.path, summary=known.summary, tag=known.tag, limit=known.limit
        )
        for known in V2_OPERATIONS.values()
        if known.id not in built_ids
    ]
