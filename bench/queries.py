"""A hundred queries as people type them, each with the operations that answer it.

Written before the search was tuned, from what one wants to do and not from the documents' own words: words, half words,
typing errors, method and path, product and verb. An answer is `document METHOD path`; in a document's name, `*` stands
for anything, since some APIs have a document for each edition.
"""

from fnmatch import fnmatchcase
from typing import NamedTuple


class Query(NamedTuple):
    """What is typed, and what is right."""

    text: str
    right: tuple[str, ...]

    def answered_by(self, document: str, method: str, path: str) -> bool:
        """Whether this operation is what was looked for."""
        for answer in self.right:
            wanted, its_method, its_path = answer.split(" ", 2)
            if method == its_method and path == its_path and fnmatchcase(document, wanted):
                return True
        return False


_ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
_REPO = "/repos/{owner}/{repo}"
_BITBUCKET = "/repositories/{workspace}/{repo_slug}"

QUERIES: tuple[Query, ...] = (
    # payments and money
    Query("stripe create customer", ("stripe.com POST /v1/customers",)),
    Query("stripe refund", ("stripe.com POST /v1/refunds", "stripe.com GET /v1/refunds")),
    Query("stripe payment intent create", ("stripe.com POST /v1/payment_intents",)),
    Query("strip checkout session", ("stripe.com POST /v1/checkout/sessions", "stripe.com GET /v1/checkout/sessions")),
    Query("POST /v1/invoices", ("stripe.com POST /v1/invoices",)),
    Query("stripe list charges", ("stripe.com GET /v1/charges",)),
    Query("stripe cuopon", ("stripe.com POST /v1/coupons", "stripe.com GET /v1/coupons")),
    Query("square create payment", ("squareup.com POST /v2/payments",)),
    Query("square locations", ("squareup.com GET /v2/locations",)),
    Query("squareup create customer", ("squareup.com POST /v2/customers",)),
    Query("plaid link token", ("plaid.com POST /link/token/create",)),
    Query("plaid get transactions", ("plaid.com POST /transactions/get",)),
    Query("plaid account balance", ("plaid.com POST /accounts/balance/get",)),
    Query("adyen payment methods", ("adyen.com-CheckoutService* POST /paymentMethods",)),
    Query("xero create invoice", ("xero.com-xero_accounting PUT /Invoices", "xero.com-xero_accounting POST /Invoices")),
    Query("xero contacts", ("xero.com-xero_accounting GET /Contacts",)),
    Query("exchange rates latest", ("exchangerate-api.com GET /latest/{base_currency}",)),
    Query("increase ach transfer", ("increase.com POST /ach_transfers", "increase.com GET /ach_transfers")),
    # messages and calls
    Query("slack post message", ("slack.com POST /chat.postMessage",)),
    Query("slack list channels", ("slack.com GET /conversations.list",)),
    Query("chat.postMessage", ("slack.com POST /chat.postMessage",)),
    Query("slack upload file", ("slack.com POST /files.upload",)),
    Query("slak add reaction", ("slack.com POST /reactions.add",)),
    Query("slack schedule message", ("slack.com POST /chat.scheduleMessage",)),
    Query("slack lookup user by email", ("slack.com GET /users.lookupByEmail",)),
    Query("twilio send sms", (f"twilio.com-api POST {_ACCOUNT}/Messages.json",)),
    Query("twilio make call", (f"twilio.com-api POST {_ACCOUNT}/Calls.json",)),
    Query("twillio verify check", ("twilio.com-twilio_verify_v2 POST /v2/Services/{ServiceSid}/VerificationCheck",)),
    Query(
        "twilio buy phone number",
        (
            f"twilio.com-api POST {_ACCOUNT}/IncomingPhoneNumbers.json",
            f"twilio.com-api GET {_ACCOUNT}/AvailablePhoneNumbers.json",
            f"twilio.com-api POST {_ACCOUNT}/IncomingPhoneNumbers/Local.json",
            f"twilio.com-api POST {_ACCOUNT}/IncomingPhoneNumbers/Mobile.json",
            f"twilio.com-api POST {_ACCOUNT}/IncomingPhoneNumbers/TollFree.json",
        ),
    ),
    Query(
        "twilio lookup phone number",
        (
            "twilio.com-twilio_lookups_v1 GET /v1/PhoneNumbers/{PhoneNumber}",
            "twilio.com-twilio_lookups_v2 GET /v2/PhoneNumbers/{PhoneNumber}",
        ),
    ),
    Query("telnyx send fax", ("telnyx.com POST /faxes",)),
    Query("telnyx available numbers", ("telnyx.com GET /available_phone_numbers",)),
    Query("clicksend sms", ("clicksend.com POST /sms/send",)),
    Query("nexmo get balance", ("nexmo.com-account GET /account/get-balance",)),
    Query("telegram sendmessage", ("telegram.org POST /sendMessage",)),
    Query("telegram set webhook", ("telegram.org POST /setWebhook",)),
    Query("whatsapp send message", ("whatsapp.local POST /messages",)),
    Query("gmail send email", ("googleapis.com-gmail POST /gmail/v1/users/{userId}/messages/send",)),
    Query("gmail labels", ("googleapis.com-gmail GET /gmail/v1/users/{userId}/labels",)),
    Query("mailchimp add member to list", ("mailchimp.com POST /lists/{list_id}/members",)),
    Query("mailchmp campaigns", ("mailchimp.com GET /campaigns", "mailchimp.com POST /campaigns")),
    Query("postmark send email", ("postmarkapp.com-server POST /email",)),
    Query(
        "aws ses send email",
        (
            "amazonaws.com-email GET /#Action=SendEmail",
            "amazonaws.com-email POST /#Action=SendEmail",
            "amazonaws.com-sesv2 POST /v2/email/outbound-emails",
        ),
    ),
    Query("create a tweet", ("twitter.com-current POST /2/tweets",)),
    Query("twitter followers", ("twitter.com-current GET /2/users/{id}/followers",)),
    Query("mastodon post status", ("mastodon.local POST /api/v1/statuses",)),
    # code and its delivery
    Query("githb list repos for user", ("github.com* GET /users/{username}/repos",)),
    Query("github create issue", (f"github.com* POST {_REPO}/issues",)),
    Query("github create pull request", (f"github.com* POST {_REPO}/pulls",)),
    Query("github merge pull request", (f"github.com* PUT {_REPO}/pulls/{{pull_number}}/merge",)),
    Query("github star repo", ("github.com* PUT /user/starred/{owner}/{repo}",)),
    Query("GET /repos/{owner}/{repo}/commits", (f"github.com* GET {_REPO}/commits",)),
    Query("github creat webhook", (f"github.com* POST {_REPO}/hooks",)),
    Query("github trigger workflow", (f"github.com* POST {_REPO}/actions/workflows/{{workflow_id}}/dispatches",)),
    Query("github search code", ("github.com* GET /search/code",)),
    Query("gists/create", ("github.com* POST /gists",)),
    Query("gitlab create project", ("gitlab.com POST /v3/projects",)),
    Query(
        "bitbucket pull request approve", (f"bitbucket.org POST {_BITBUCKET}/pullrequests/{{pull_request_id}}/approve",)
    ),
    Query(
        "bitbuket run pipeline",
        (f"bitbucket.org POST {_BITBUCKET}/pipelines", f"bitbucket.org POST {_BITBUCKET}/pipelines/"),
    ),
    Query("jira create issue", ("atlassian.com-jira POST /rest/api/3/issue",)),
    Query("jira add comment", ("atlassian.com-jira POST /rest/api/3/issue/{issueIdOrKey}/comment",)),
    Query(
        "jira search jql", ("atlassian.com-jira GET /rest/api/3/search", "atlassian.com-jira POST /rest/api/3/search")
    ),
    Query(
        "netlify deploy site", ("netlify.com POST /sites/{site_id}/deploys", "netlify.com GET /sites/{site_id}/deploys")
    ),
    Query("vercel create deployment", ("vercel.com POST /v13/deployments",)),
    Query("launchdarkly create feature flag", ("launchdarkly.com POST /flags/{projectKey}",)),
    Query(
        "circleci env var",
        (
            "circleci.com POST /project/{username}/{project}/envvar",
            "circleci.com GET /project/{username}/{project}/envvar",
        ),
    ),
    # servers
    Query("digitalocean create droplet", ("digitalocean.com POST /v2/droplets",)),
    Query("digital ocean list domains", ("digitalocean.com GET /v2/domains",)),
    Query(
        "delete droplet", ("digitalocean.com DELETE /v2/droplets/{droplet_id}", "digitalocean.com DELETE /v2/droplets")
    ),
    Query("hetzner server create", ("hetzner.cloud POST /servers",)),
    Query("linode create instance", ("linode.com POST /linode/instances",)),
    Query(
        "kubernetes list pods",
        ("kubernetes.io GET /api/v1/namespaces/{namespace}/pods", "kubernetes.io GET /api/v1/pods"),
    ),
    Query("kubernetes create deployment", ("kubernetes.io POST /apis/apps/v1/namespaces/{namespace}/deployments",)),
    Query("k8s pod log", ("kubernetes.io GET /api/v1/namespaces/{namespace}/pods/{name}/log",)),
    Query("docker container logs", ("docker.com-engine GET /containers/{id}/logs",)),
    Query("docker create contaner", ("docker.com-engine POST /containers/create",)),
    Query("s3 create bucket", ("amazonaws.com-s3 PUT /{Bucket}",)),
    Query("lambda invoke function", ("amazonaws.com-lambda POST /2015-03-31/functions/{FunctionName}/invocations",)),
    Query(
        "ec2 run instances",
        ("amazonaws.com-ec2 GET /#Action=RunInstances", "amazonaws.com-ec2 POST /#Action=RunInstances"),
    ),
    Query("dynamodb put item", ("amazonaws.com-dynamodb POST /#X-Amz-Target=DynamoDB_20120810.PutItem",)),
    Query(
        "secrets manager get secret value",
        ("amazonaws.com-secretsmanager POST /#X-Amz-Target=secretsmanager.GetSecretValue",),
    ),
    Query(
        "sts assume role", ("amazonaws.com-sts GET /#Action=AssumeRole", "amazonaws.com-sts POST /#Action=AssumeRole")
    ),
    # documents, tasks, calendars
    Query("google calendar create event", ("googleapis.com-calendar POST /calendars/{calendarId}/events",)),
    Query("google calender quick add", ("googleapis.com-calendar POST /calendars/{calendarId}/events/quickAdd",)),
    Query("google drive list files", ("googleapis.com-drive GET /files",)),
    Query(
        "google sheets append values",
        ("googleapis.com-sheets POST /v4/spreadsheets/{spreadsheetId}/values/{range}:append",),
    ),
    Query("trello create card", ("trello.com POST /cards",)),
    Query("asana create task", ("asana.com POST /tasks",)),
    Query("zoom create meeting", ("zoom.us POST /users/{userId}/meetings",)),
    Query("zoom meeting recordings", ("zoom.us GET /meetings/{meetingId}/recordings",)),
    Query("microsoft graph list chats", ("microsoft.com-graph* GET /chats",)),
    Query("docusign create envelope", ("docusign.net POST /v2.1/accounts/{accountId}/envelopes",)),
    Query("box upload file", ("box.com POST /files/content",)),
    # media, language, the rest
    Query("openai chat completion", ("openai.com POST /chat/completions",)),
    Query("openai embedings", ("openai.com POST /embeddings",)),
    Query("spotify add tracks to playlist", ("spotify.com-sonallux POST /playlists/{playlist_id}/tracks",)),
    Query("spotify currently playing", ("spotify.com-sonallux GET /me/player/currently-playing",)),
    Query("youtube search videos", ("googleapis.com-youtube GET /youtube/v3/search",)),
    Query("giphy search gif", ("giphy.com GET /gifs/search",)),
    Query("remove background from image", ("remove.bg POST /removebg",)),
)
