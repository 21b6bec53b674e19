"""Where channels are kept."""

from offhook.directory.channels.model import Channel
from offhook.storage.documents import Documents

channels = Documents("channels", Channel, numbers={"owner_id": lambda channel: channel.owner_id})
