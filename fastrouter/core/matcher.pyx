"""Who gets what: topics, and the groups of subscribers whose pattern matches them.

A *topic* is a symbol and an event type (``S:AAPL:quote``). A *group* is one
distinct pattern in one dialect, and its members. Groups and topics are matched
against each other once, when the later of the two appears; after that a
publish walks its topic's groups and compares no strings. Groups without a
wildcard are found by their key, so a new topic costs one look-up a dialect plus
one match per distinct wildcard pattern of its event type.
"""

from libc.stdlib cimport calloc, free, malloc
from libc.stdint cimport uint64_t
from libc.string cimport memchr, memcpy
from cython.operator cimport dereference

import cython

from fastrouter.core.clib cimport (
    FR_INTERN_NONE, fr_glob_match, fr_intern_add, fr_intern_find, fr_intern_free,
    fr_intern_init, fr_intern_key, fr_symbol_valid,
)
from fastrouter.core.history cimport forget_history
from fastrouter.core.statistics cimport forget_day
from fastrouter.core.structs cimport MAX_DIALECTS, Membership

import os

from fastrouter.core.kinds import EVENT_TYPES
from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.errors import EventError, SubscriptionError

__all__ = ["Matcher"]


cdef string group_key(uint8_t event_type, bytes pattern, uint8_t dialect):
    return bytes((event_type, dialect)) + pattern


cdef void free_topic(Topic* topic) noexcept:
    cdef int i
    for i in range(MAX_DIALECTS):
        if topic.texts[i] != NULL:
            free(topic.texts[i].data)
            free(topic.texts[i])
    forget_day(topic.day)
    forget_history(topic.history)
    del topic.groups
    free(topic)


cdef void free_group(Group* group) noexcept:
    del group.members
    del group.places
    del group.topics
    free(group.pattern)
    free(group)


@cython.final
cdef class Matcher:
    """Topics, groups and memberships of one router."""

    def __cinit__(self):
        cdef:
            uint64_t seed = int.from_bytes(os.urandom(8), "little")
            EventType* row
            Py_ssize_t i
            bytes name
        self.names = EVENT_TYPES
        self.rows = dict(zip(EVENT_TYPES, range(len(EVENT_TYPES))))
        self.timeframe_names = {}
        self.accounts = {}
        self.event_types = <EventType*>calloc(len(EVENT_TYPES), sizeof(EventType))
        if self.event_types == NULL:
            raise MemoryError()
        for i in range(len(EVENT_TYPES)):
            row = &self.event_types[i]
            fr_intern_init(&row.symbols, seed)
            row.topics = new vector[Topic*]()
            row.wildcards = new vector[Group*]()
            self.event_type_count += 1
            _, _, timeframe = EVENT_TYPES[i].partition("@")
            if timeframe:
                name = timeframe.encode()
                self.timeframe_names[i] = name
                row.timeframe = TIMEFRAMES[timeframe]
                row.timeframe_name = name

    def __dealloc__(self):
        cdef:
            uint32_t i
            Topic* topic
        for topic in self.topics:
            free_topic(topic)
        for item in self.groups:
            free_group(item.second)
        for i in range(self.event_type_count):
            fr_intern_free(&self.event_types[i].symbols)
            del self.event_types[i].topics
            del self.event_types[i].wildcards
        free(self.event_types)

    cdef int row(self, str event_type) except -1:
        """Row of the event type; SubscriptionError when there is none."""
        found = self.rows.get(event_type)
        if found is None:
            raise SubscriptionError(
                f"event type {event_type!r} is not known; allowed: {', '.join(self.names)}")
        return found

    cdef bint market(self, int row) noexcept:
        """Does a topic of that row have a newest value, which is owed and a snapshot?"""
        return row == 0 or self.event_types[row].timeframe != 0

    cdef uint32_t account(self, str name) except? 0:
        """The number of an account, given when a session is first allowed it."""
        return self.accounts.setdefault(name, len(self.accounts) + 1)

    cdef Topic* topic(self, uint8_t event_type, const char* symbol, size_t size) except NULL:
        """The topic of a symbol, made when first seen; EventError for an invalid symbol."""
        cdef:
            EventType* row = &self.event_types[event_type]
            uint32_t place = fr_intern_find(&row.symbols, symbol, size)
        if place != FR_INTERN_NONE:
            return row.topics[0][place]
        return self._add_topic(event_type, symbol, size)

    cdef Topic* find(self, uint8_t event_type, const char* symbol, size_t size) noexcept:
        """The topic of a symbol, or NULL when it was never seen."""
        cdef:
            EventType* row = &self.event_types[event_type]
            uint32_t place = fr_intern_find(&row.symbols, symbol, size)
        if place == FR_INTERN_NONE:
            return NULL
        return row.topics[0][place]

    cdef Topic* _add_topic(self, uint8_t event_type, const char* symbol, size_t size) except NULL:
        cdef:
            EventType* row = &self.event_types[event_type]
            Topic* topic
            Group* group
            uint32_t place
            uint8_t dialect
            size_t ignored
        if not fr_symbol_valid(symbol, size) and (size or event_type == 0 or row.timeframe):
            raise EventError(
                f"symbol {symbol[:min(size, <size_t>200)]!r}: allowed are 1 to 128 bytes of UTF-8 "
                "without blanks, control characters, ',' and '*'")
        topic = <Topic*>calloc(1, sizeof(Topic))
        if topic == NULL:
            raise MemoryError()
        place = fr_intern_add(&row.symbols, symbol, size)
        if place == FR_INTERN_NONE:
            free(topic)
            raise MemoryError()
        topic.index = <uint32_t>self.topics.size()
        topic.event_type = event_type
        topic.symbol = fr_intern_key(&row.symbols, place, &ignored)
        topic.symbol_size = <uint32_t>size
        topic.timeframe = row.timeframe
        topic.timeframe_name = row.timeframe_name
        topic.groups = new vector[Group*]()
        row.topics.push_back(topic)
        self.topics.push_back(topic)
        for dialect in range(self.dialects):
            group = self.find_group(event_type, symbol[:size], dialect)
            if group != NULL:
                link(group, topic)
        for group in row.wildcards[0]:
            if fr_glob_match(group.pattern, group.pattern_size, symbol, size):
                link(group, topic)
        return topic

    cdef Group* find_group(self, uint8_t event_type, bytes pattern, uint8_t dialect) noexcept:
        """The group of a pattern, or NULL."""
        found = self.groups.find(group_key(event_type, pattern, dialect))
        if found == self.groups.end():
            return NULL
        return dereference(found).second

    cdef Group* group(self, uint8_t event_type, bytes pattern, uint8_t dialect) except NULL:
        """The group of a pattern, made and matched against all topics when first seen."""
        cdef:
            Group* group = self.find_group(event_type, pattern, dialect)
            EventType* row = &self.event_types[event_type]
            const char* text = pattern
            size_t size = len(pattern)
            Topic* topic
            uint32_t place
        if group != NULL:
            return group
        group = <Group*>calloc(1, sizeof(Group))
        if group != NULL:
            group.pattern = <char*>malloc(size + 1)
        if group == NULL or group.pattern == NULL:
            free(group)
            raise MemoryError()
        memcpy(group.pattern, text, size)
        group.pattern_size = <uint32_t>size
        group.event_type = event_type
        group.dialect = dialect
        group.wildcard = memchr(text, b"*", size) != NULL
        group.members = new vector[OutboxState*]()
        group.places = new vector[uint32_t]()
        group.topics = new vector[Topic*]()
        self.groups[group_key(event_type, pattern, dialect)] = group
        self.dialects = max(self.dialects, <uint32_t>dialect + 1)
        if group.wildcard:
            row.wildcards.push_back(group)
            for topic in row.topics[0]:
                if fr_glob_match(text, size, topic.symbol, topic.symbol_size):
                    link(group, topic)
        else:
            place = fr_intern_find(&row.symbols, text, size)
            if place != FR_INTERN_NONE:
                link(group, row.topics[0][place])
        return group

    cdef int _drop(self, Group* group) except -1:
        """Forget a group nobody is in."""
        cdef:
            vector[Group*]* wildcards = self.event_types[group.event_type].wildcards
            Topic* topic
        for topic in group.topics[0]:
            remove(topic.groups, group)
        if group.wildcard:
            remove(wildcards, group)
        self.groups.erase(
            group_key(group.event_type, group.pattern[:group.pattern_size], group.dialect))
        free_group(group)
        return 0

    cdef int join(self, Group* group, OutboxState* member) except -1:
        """Put `member` into the group. The caller made sure that it is not there yet."""
        cdef Membership membership
        membership.group = group
        membership.index = <uint32_t>group.members.size()
        group.members.push_back(member)
        group.places.push_back(<uint32_t>member.cold.held.size())
        member.cold.held.push_back(membership)
        return 0

    cdef Py_ssize_t place(self, OutboxState* member, Group* group) noexcept:
        """Where `member` lists `group`, -1 when it is not in it."""
        cdef:
            vector[Membership]* held = member.cold.held
            size_t i
        if group.members.size() < held.size():
            for i in range(group.members.size()):
                if group.members[0][i] == member:
                    return group.places[0][i]
            return -1
        for i in range(held.size()):
            if held[0][i].group == group:
                return i
        return -1

    cdef int leave(self, OutboxState* member, uint32_t place) except -1:
        """Take `member` out of the group it holds at `place`; both lists close the gap."""
        cdef:
            vector[Membership]* held = member.cold.held
            Group* group = held[0][place].group
            uint32_t index = held[0][place].index
            OutboxState* moved = group.members.back()
        # the group's last member takes the free index
        group.members[0][index] = moved
        group.places[0][index] = group.places.back()
        moved.cold.held[0][group.places[0][index]].index = index
        group.members.pop_back()
        group.places.pop_back()
        # the member's last group takes the free place
        if place != held.size() - 1:
            held[0][place] = held.back()
            held[0][place].group.places[0][held[0][place].index] = place
        held.pop_back()
        if group.members.empty():
            self._drop(group)
        return 0


cdef int link(Group* group, Topic* topic) except -1:
    """A group matches a topic. A topic's groups stay sorted by dialect: one encode for each."""
    cdef size_t place = topic.groups.size()
    topic.groups.push_back(group)
    while place > 0 and topic.groups[0][place - 1].dialect > group.dialect:
        topic.groups[0][place] = topic.groups[0][place - 1]
        place -= 1
    topic.groups[0][place] = group
    group.topics.push_back(topic)
    return 0


cdef void remove(vector[Group*]* groups, Group* group) noexcept:
    """Take `group` out, keeping the order of the others."""
    cdef size_t i, kept = 0
    for i in range(groups.size()):
        if groups[0][i] != group:
            groups[0][kept] = groups[0][i]
            kept += 1
    groups.resize(kept)
