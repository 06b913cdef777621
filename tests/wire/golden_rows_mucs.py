"""The failure rows of groups and chat rooms, typed by hand, and the file of each pair.

A row is named by the reference's file, its table or number, and what is wrong; the same
words stand above its pair.
"""

_LISTED = """
groups-01-list
    groups.md #1: a cursor that is none
    groups.md #1: AUTH
groups-02-joined
    groups.md #2: NOUSER
    groups.md #2: AUTH
groups-03-details
    groups.md #3: NOGRP-R
    groups.md #3: NOGRP-R, no number
    groups.md #3: more than 100 ids
    groups.md #3: AUTH
groups-03-rooms
    groups.md #3: NOGRP-R, a room
    groups.md §1: NOGRP, a room
    groups.md §1: NOGRP, a room is not deleted as a group
    groups.md §1: NOGRP, no number
    groups.md §1: NOGRP-R, a group of another app
    groups.md §1: NOGRP, a group of another app
groups-04-create-refused
    groups.md #4: groupname missing
    groups.md #4: groupname empty
    groups.md #4: desc missing
    groups.md #4: desc empty
    groups.md #4: owner missing
    groups.md #4: owner empty
    groups.md #4: NOUSER, the owner
    groups.md #4: an initial member is unknown
    groups.md #4: FULL
    groups.md #4: maxusers below 1
    groups.md #4: a wrong type
    groups.md #4: AUTH
groups-04-create-limits
    groups.md #4: groupname over 128
    groups.md #4: desc over 512
    groups.md #4: custom over 1,024
    groups.md #4: members over 100
    groups.md #4: maxusers over the cap
    groups.md #4: TOOMANY, a member
    groups.md #4: TOOMANY, the owner
    groups.md #4: APPFULL
groups-05-modify-refused
    groups.md #5: unknown or unmodifiable fields
    groups.md #5: no field at all
    groups.md #5: groupname with a slash
    groups.md #5: description with a slash
    groups.md #5: groupname too long
    groups.md #5: description too long
    groups.md #5: a wrong type
    groups.md #5: maxusers below the current count
    groups.md #5: NOGRP
    groups.md #5: AUTH
groups-06-delete
    groups.md #6: NOGRP, the second time
    groups.md #6: NOGRP
    groups.md #6: AUTH
groups-07-announcement-refused
    groups.md #7: NOGRP
    groups.md #7: AUTH
    groups.md #8: NOGRP
    groups.md #8: AUTH
    groups.md #8: too long
    groups.md #8: missing
    groups.md #8: no string
groups-09-files-refused
    groups.md #9: NOGRP
    groups.md #9: AUTH
    groups.md #10: NOGRP
    groups.md #10: AUTH
    groups.md #10: no part `file`
    groups.md #10: over 10 MB
    groups.md #10: not multipart
    groups.md #11: unknown file
    groups.md #11: a file of another group
    groups.md #11: NOGRP
    groups.md #11: AUTH
    groups.md #12: unknown file
    groups.md #12: a file of another group
    groups.md #12: NOGRP
    groups.md #12: AUTH
groups-09-files-of-users
    groups.md §4, a member deletes what another uploaded: AUTH
    groups.md §4, who is no member lists: AUTH
    groups.md §4, who is no member uploads: AUTH
    groups.md §4, a user token and an unknown group: AUTH
groups-09-files-kept
    groups.md #11: NOGRP, a group that is gone
groups-13-members
    groups.md #13: NOGRP-R
    groups.md #13: AUTH
groups-13-members-by-cursor
    groups.md #13: a cursor that is none
    groups.md #13: NOGRP-R, by cursor
groups-14-add
    groups.md #14: INGRP
    groups.md #14: INGRP, the owner
    groups.md #14: NOUSER
    groups.md #14: NOGRP
    groups.md #14: AUTH
groups-14-add-limits
    groups.md #14: FULL
    groups.md #14: BLOCKED
    groups.md #14: TOOMANY
groups-14-add-full-edition
    groups.md #14: FULL, by the edition
groups-15-add-some
    groups.md #15: INGRP, all are members already
    groups.md #15: NOGRP
    groups.md #15: AUTH
groups-15-add-some-refused
    groups.md #15: NOUSER, the first such name
    groups.md #15: FULL
    groups.md #15: BLOCKED
    groups.md #15: TOOMANY
    groups.md #15: over 60
    groups.md #15: empty
    groups.md #15: missing
    groups.md #15: no list
groups-16-remove
    groups.md #16: NOTMEM, not a member
    groups.md #16: NOTMEM, unknown name
    groups.md #16: OWNER
    groups.md #16: NOGRP
    groups.md #16: AUTH
groups-17-remove-some
    groups.md #17: NOTMEM, none is a member
    groups.md #17: over 100
    groups.md #17: NOGRP
    groups.md #17: AUTH
groups-17-name-lists
    groups.md §1: no name is left
groups-18-admins-refused
    groups.md #18: NOGRP
    groups.md #18: AUTH
    groups.md #19: NOGRP
    groups.md #19: NOUSER
    groups.md #19: NOTIN
    groups.md #19: OWNER
    groups.md #19: already admin
    groups.md #19: missing newadmin
    groups.md #19: AUTH
    groups.md #20: not an admin
    groups.md #20: not an admin, but the owner
    groups.md #20: not an admin, unknown name
    groups.md #20: NOGRP
    groups.md #20: AUTH
    groups.md #19: over 99
groups-21-transfer
    groups.md #21: already owner
    groups.md #21: NOTIN, not a member
    groups.md #21: NOTIN, unknown name
    groups.md #21: other fields beside newowner
    groups.md #21: NOGRP
    groups.md #21: AUTH
groups-22-blocks
    groups.md #23: NOTMEM, not a member
    groups.md #23: NOTMEM, unknown name
    groups.md #23: NOTMEM, already blocked
    groups.md #23: OWNER
    groups.md #22: NOGRP
    groups.md #22: AUTH
    groups.md #23: NOGRP
    groups.md #23: AUTH
groups-24-block-some
    groups.md #24: OWNER, in the list
    groups.md #24: NOTMEM, no name is a member
    groups.md #24: over 60
    groups.md #24: empty
    groups.md #24: NOGRP
    groups.md #24: AUTH
groups-25-unblock
    groups.md #25: NOUSER
    groups.md #25: not blocked
    groups.md #25: NOGRP
    groups.md #25: AUTH
groups-26-unblock-some
    groups.md #26: NOUSER, nothing is removed
    groups.md #26: none is blocked
    groups.md #26: over 100
    groups.md #26: NOGRP
    groups.md #26: AUTH
groups-27-mutes-refused
    groups.md #27: NOGRP
    groups.md #27: AUTH
    groups.md #28: mute_duration 0
    groups.md #28: another negative mute_duration
    groups.md #28: mute_duration missing
    groups.md #28: usernames missing
    groups.md #28: over 60
    groups.md #28: NOTMEM, none is a member
    groups.md #28: OWNER
    groups.md #28: NOGRP
    groups.md #28: AUTH
    groups.md #29: NOTMEM, none is a member
    groups.md #29: over 100
    groups.md #29: NOGRP
    groups.md #29: AUTH
groups-30-ban
    groups.md #30: NOGRP
    groups.md #30: AUTH
    groups.md #31: NOGRP
    groups.md #31: AUTH
groups-32-allow-list-refused
    groups.md #32: NOGRP
    groups.md #32: AUTH
    groups.md #33: NOTMEM
    groups.md #33: NOTMEM, unknown name
    groups.md #33: NOGRP
    groups.md #33: AUTH
    groups.md #34: NOTMEM, none is a member
    groups.md #34: over 60
    groups.md #34: empty
    groups.md #34: NOGRP
    groups.md #34: AUTH
    groups.md #35: NOTMEM, none is a member
    groups.md #35: over 60
    groups.md #35: NOGRP
    groups.md #35: AUTH
groups-36-disable
    groups.md #36: NOGRP
    groups.md #36: AUTH
    groups.md #37: NOGRP
    groups.md #37: AUTH
groups-38-is-joined
    groups.md #38: NOGRP
    groups.md #38: AUTH
groups-39-public-and-private
    groups.md §9, public groups: AUTH
    groups.md §9, private groups: AUTH
groups-tokens
    groups.md §1, no token: AUTH
    groups.md §1, not Bearer: AUTH
    groups.md §1, malformed: AUTH
    groups.md §1, expired: AUTH
    groups.md §1, revoked: AUTH
    groups.md §1, not issued here: AUTH
    groups.md §1, another app's: AUTH
    groups.md §1, a user's: AUTH
    groups.md §1, before the group is looked for: AUTH
groups-standard
    errors.md §2, groups: unknown app
    errors.md §2, groups: unknown path
    errors.md §2, groups: wrong method
    errors.md §2, groups: body too large
    errors.md §2, groups: body of another type
    errors.md §2, groups: no JSON
    errors.md §2, groups: no body
    errors.md §2, groups: JSON of another shape
    errors.md §2, groups: rate
groups-14-add-by-uuid
    groups.md #14: INGRP, named by uuid
groups-user-deleted
    groups.md §1: NOGRP, its owner was deleted
chatrooms-01-list
    chatrooms.md #1: a cursor that is none
    chatrooms.md #1: AUTH
chatrooms-02-joined
    chatrooms.md #2: NOUSER
    chatrooms.md #2: AUTH
chatrooms-03-details
    chatrooms.md #3: NOGRP-R
    chatrooms.md #3: NOGRP-R, a group
    chatrooms.md #3: more than 100 ids
    chatrooms.md #3: AUTH
chatrooms-04-create-refused
    chatrooms.md #4: name missing
    chatrooms.md #4: name empty
    chatrooms.md #4: description missing
    chatrooms.md #4: owner missing
    chatrooms.md #4: NOUSER, the owner
    chatrooms.md #4: NOUSER, a member
    chatrooms.md #4: maxusers below 1
    chatrooms.md #4: maxusers over 5,000
    chatrooms.md #4: FULL
    chatrooms.md #4: name over 128
    chatrooms.md #4: description over 512
    chatrooms.md #4: custom over 1,024
    chatrooms.md #4: AUTH
chatrooms-04-create-limits
    chatrooms.md #4: TOOMANY, a member
    chatrooms.md #4: TOOMANY, the owner
    chatrooms.md #4: APPFULL
chatrooms-05-modify-refused
    chatrooms.md #5: maxusers below the current count
    chatrooms.md #5: other fields
    chatrooms.md #5: name with a slash
    chatrooms.md #5: description with a slash
    chatrooms.md #5: name too long
    chatrooms.md #5: description too long
    chatrooms.md #5: maxusers over 5,000
    chatrooms.md #5: a wrong type
    chatrooms.md #5: no field at all
    chatrooms.md #5: NOGRP
    chatrooms.md #5: AUTH
chatrooms-05-transfer
    chatrooms.md #5: newowner is already owner
    chatrooms.md #5: newowner NOTIN
    chatrooms.md #5: newowner NOTIN, unknown name
    chatrooms.md #5: other fields beside newowner
    chatrooms.md #5: newowner NOGRP
chatrooms-06-delete
    chatrooms.md #6: NOGRP, the second time
    chatrooms.md #6: NOGRP
    chatrooms.md #6: AUTH
chatrooms-07-members
    chatrooms.md #7: NOGRP-R
    chatrooms.md #7: AUTH
chatrooms-08-add
    chatrooms.md #8: INGRP
    chatrooms.md #8: NOUSER
    chatrooms.md #8: NOGRP
    chatrooms.md #8: AUTH
    chatrooms.md #8: FULL
    chatrooms.md #8: BLOCKED
    chatrooms.md #8: TOOMANY
chatrooms-09-add-some
    chatrooms.md #9: INGRP, all are in the room
    chatrooms.md #9: NOUSER, nobody is added
    chatrooms.md #9: FULL
    chatrooms.md #9: BLOCKED
    chatrooms.md #9: TOOMANY
    chatrooms.md #9: over 60
    chatrooms.md #9: empty
    chatrooms.md #9: NOGRP
    chatrooms.md #9: AUTH
chatrooms-10-remove
    chatrooms.md #10: NOTMEM, not in the room
    chatrooms.md #10: NOTMEM, unknown name
    chatrooms.md #10: OWNER
    chatrooms.md #10: NOGRP
    chatrooms.md #10: AUTH
chatrooms-11-remove-some
    chatrooms.md #11: NOTMEM, no name is in the room
    chatrooms.md #11: over 100
    chatrooms.md #11: NOGRP
    chatrooms.md #11: AUTH
chatrooms-12-admins-refused
    chatrooms.md #12: NOGRP
    chatrooms.md #12: AUTH
    chatrooms.md #13: NOGRP
    chatrooms.md #13: NOUSER
    chatrooms.md #13: NOTIN
    chatrooms.md #13: OWNER
    chatrooms.md #13: already admin
    chatrooms.md #13: missing newadmin
    chatrooms.md #13: AUTH
    chatrooms.md #14: not an admin
    chatrooms.md #14: NOGRP
    chatrooms.md #14: AUTH
    chatrooms.md #13: over 99
chatrooms-15-mutes-refused
    chatrooms.md #15: NOGRP
    chatrooms.md #15: AUTH
    chatrooms.md #16: mute_duration 0
    chatrooms.md #16: another negative mute_duration
    chatrooms.md #16: mute_duration missing
    chatrooms.md #16: over 60
    chatrooms.md #16: NOTMEM, none is a member
    chatrooms.md #16: OWNER
    chatrooms.md #16: NOGRP
    chatrooms.md #16: AUTH
    chatrooms.md #17: NOTMEM, none is a member
    chatrooms.md #17: over 100
    chatrooms.md #17: NOGRP
    chatrooms.md #17: AUTH
chatrooms-18-super-admins-refused
    chatrooms.md #18: AUTH
    chatrooms.md #19: NOUSER
    chatrooms.md #19: missing superadmin
    chatrooms.md #19: AUTH
    chatrooms.md #20: NOUSER, not a super admin
    chatrooms.md #20: NOUSER, unknown name
    chatrooms.md #20: AUTH
chatrooms-21-announcement
    chatrooms.md #21: NOGRP
    chatrooms.md #21: AUTH
    chatrooms.md #22: NOGRP
    chatrooms.md #22: AUTH
    chatrooms.md #22: too long
    chatrooms.md #22: missing
chatrooms-23-blocks-refused
    chatrooms.md #23: NOGRP
    chatrooms.md #23: AUTH
    chatrooms.md #24: NOTMEM
    chatrooms.md #24: NOTMEM, unknown name
    chatrooms.md #24: OWNER
    chatrooms.md #24: NOGRP
    chatrooms.md #24: AUTH
    chatrooms.md #25: OWNER, in the list
    chatrooms.md #25: NOTMEM, no name is a member
    chatrooms.md #25: over 60
    chatrooms.md #25: empty
    chatrooms.md #25: NOGRP
    chatrooms.md #25: AUTH
    chatrooms.md #26: NOUSER
    chatrooms.md #26: not blocked
    chatrooms.md #26: NOGRP
    chatrooms.md #26: AUTH
    chatrooms.md #27: NOUSER
    chatrooms.md #27: none is blocked
    chatrooms.md #27: over 60
    chatrooms.md #27: NOGRP
    chatrooms.md #27: AUTH
chatrooms-28-ban
    chatrooms.md #28: NOGRP
    chatrooms.md #28: AUTH
    chatrooms.md #29: NOGRP
    chatrooms.md #29: AUTH
chatrooms-30-allow-list-refused
    chatrooms.md #30: NOGRP
    chatrooms.md #30: AUTH
    chatrooms.md #31: NOTMEM
    chatrooms.md #31: NOGRP
    chatrooms.md #31: AUTH
    chatrooms.md #32: NOTMEM, none is a member
    chatrooms.md #32: over 60
    chatrooms.md #32: empty
    chatrooms.md #32: NOGRP
    chatrooms.md #32: AUTH
    chatrooms.md #33: NOTMEM, none is a member
    chatrooms.md #33: over 60
    chatrooms.md #33: NOGRP
    chatrooms.md #33: AUTH
chatrooms-tokens
    chatrooms.md, no token: AUTH
    chatrooms.md, malformed: AUTH
    chatrooms.md, expired: AUTH
    chatrooms.md, revoked: AUTH
    chatrooms.md, not issued here: AUTH
    chatrooms.md, another app's: AUTH
    chatrooms.md, a user's: AUTH
    chatrooms.md: NOGRP-R, a room of another app
    chatrooms.md: NOGRP, a room of another app
    chatrooms.md: NOGRP, no number
chatrooms-standard
    errors.md §2, chat rooms: unknown app
    errors.md §2, chat rooms: unknown path
    errors.md §2, chat rooms: wrong method
    errors.md §2, chat rooms: body too large
    errors.md §2, chat rooms: body of another type
    errors.md §2, chat rooms: no JSON
    errors.md §2, chat rooms: JSON of another shape
    errors.md §2, chat rooms: rate
"""


def _read(listed: str) -> dict[str, str]:
    rows: dict[str, str] = {}
    stem = ""
    for line in listed.strip().splitlines():
        if not line.startswith(" "):
            stem = line
        else:
            rows[line.strip()] = stem
    return rows


ROWS: dict[str, str] = _read(_LISTED)
"""A row's name, and the name of the scenario that shows it."""
