/*
 * pcapng.c - an annotated capture: the frames of the sessions that are shown (by default those
 * whose mail is stuck), with the verdicts as comments on the section and on the frames that prove
 * them.
 *
 * Each capture (or series) is a section of its own, so parts can be joined. What may be a login is
 * masked by whoever hands out the frames (smtpwhy.h, sw_run_copy), in comments that people wrote
 * into the capture as well. Those on frames stay there, before ours; all others stand in the
 * section, behind ours, whatever part of the capture they belonged to.
 */
#include "analyzer/extract.h"
#include "base/frame_ref.h"
#include "capture/pcapng_writer.h"
#include "report/page.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>

enum { COMMENTS = 60, REMARKS = 32, TEXT_BYTES = 256 };

/* An interface of the captures; its frames name it by file and index. */
struct interface {
    uint16_t file;
    uint32_t index;
    uint32_t snaplen;
    char name[TEXT_BYTES], description[TEXT_BYTES], filter[TEXT_BYTES];
    bool written;
    int32_t link_type;
    uint8_t time_digits;
    uint32_t number; /* in the section */
};

/* Comments of people, safe to show. */
struct remarks {
    struct sw_writer texts[REMARKS];
    unsigned count;
};

struct annotated {
    struct sw_extract extract;
    struct sw_extract_sink sink;
    struct sw_pcapng_writer writer;
    struct sw_part *part;
    struct interface *interfaces;
    uint32_t interface_count, interface_room;
    struct remarks of_capture, of_frame;
    bool begun; /* the section is written */
};

static void put(void *ctx, struct sw_span bytes)
{
    struct sw_part *part = ctx;
    sw_writer_put(part->out, bytes);
}

static void open_capture(struct sw_part *part)
{
    struct annotated *a = part->state;
    a->part = part;
    a->writer = (struct sw_pcapng_writer){.put = put, .ctx = part};
    sw_extract_init(&a->extract, part->style->keep_credentials);
}

static void add_session(struct sw_part *part, const struct sw_session *session,
                        const struct sw_verdict *verdict)
{
    struct annotated *a = part->state;
    bool chosen = part->style->select && part->style->select->any;
    if (chosen || verdict->outcome == SW_OUTCOME_STUCK)
        sw_extract_add(&a->extract, session, verdict);
}

static void clear_remarks(struct remarks *remarks)
{
    for (unsigned i = 0; i < remarks->count; i++)
        sw_writer_release(&remarks->texts[i]);
    remarks->count = 0;
}

/* --- what is copied --- */

static void begin(struct annotated *a);

static struct interface *interface_of(struct annotated *a, uint16_t file, uint32_t index)
{
    for (uint32_t i = a->interface_count; i > 0; i--) {
        struct interface *known = &a->interfaces[i - 1];
        if (known->file == file && known->index == index)
            return known;
    }
    if (a->interface_count == a->interface_room) {
        uint32_t room = a->interface_room ? 2 * a->interface_room : 4;
        struct interface *more = realloc(a->interfaces, room * sizeof(*more));
        if (!more)
            return NULL;
        a->interfaces = more;
        a->interface_room = room;
    }
    struct interface *made = &a->interfaces[a->interface_count++];
    *made = (struct interface){.file = file, .index = index};
    return made;
}

static void copy_text(char to[TEXT_BYTES], struct sw_span from)
{
    size_t len = from.len < TEXT_BYTES - 1 ? from.len : TEXT_BYTES - 1;
    if (len > 0)
        memcpy(to, from.ptr, len);
    to[len] = '\0';
}

static void on_comment(void *ctx, bool of_frame, struct sw_span text)
{
    struct annotated *a = ctx;
    struct remarks *remarks = of_frame ? &a->of_frame : &a->of_capture;
    if (remarks->count == REMARKS)
        return;
    struct sw_writer *room = &remarks->texts[remarks->count++];
    sw_writer_open_memory(room);
    sw_page_escape(room, text, true);
}

static void on_interface(void *ctx, const struct sw_extract_interface *told)
{
    struct annotated *a = ctx;
    struct interface *interface = interface_of(a, (uint16_t)told->file, told->index);
    if (!interface)
        return;
    interface->snaplen = told->snaplen;
    copy_text(interface->name, told->name);
    copy_text(interface->description, told->description);
    copy_text(interface->filter, told->filter);
}

static void put_interface(struct annotated *a, struct interface *interface,
                          const struct sw_frame *frame)
{
    const struct sw_pcapng_interface_info info = {.link_type = frame->link_type,
                                                  .snaplen = interface->snaplen,
                                                  .time_digits = frame->time_digits,
                                                  .name = interface->name,
                                                  .description = interface->description,
                                                  .filter = interface->filter};
    interface->written = true;
    interface->link_type = frame->link_type;
    interface->time_digits = frame->time_digits;
    interface->number = sw_pcapng_put_interface(&a->writer, &info);
}

/* The place of the first note on a frame, or of the first behind it. */
static uint32_t first_note(const struct sw_extract *extract, uint64_t ref)
{
    uint32_t low = 0;
    uint32_t high = extract->note_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (extract->notes[middle].frame < ref)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A comment is shown by other programs: it gets no character that could lie. */
static struct sw_span safe(struct sw_writer *room, const char *text)
{
    sw_writer_open_memory(room);
    sw_page_escape(room, sw_span_str(text), true);
    return sw_writer_span(room);
}

static void on_frame(void *ctx, const struct sw_frame *frame)
{
    struct annotated *a = ctx;
    struct interface *interface = interface_of(a, frame->file, frame->interface);
    struct sw_writer room[COMMENTS];
    struct sw_span texts[REMARKS + COMMENTS];
    struct sw_pcapng_comments comments = {.list = texts};
    uint64_t ref = sw_frame_ref(frame->file, frame->number);
    unsigned own = 0;
    if (!interface)
        return;
    begin(a);
    for (; comments.count < a->of_frame.count; comments.count++)
        texts[comments.count] = sw_writer_span(&a->of_frame.texts[comments.count]);
    if (!interface->written)
        put_interface(a, interface, frame);
    for (uint32_t i = first_note(&a->extract, ref);
         i < a->extract.note_count && a->extract.notes[i].frame == ref && own < COMMENTS; i++) {
        texts[comments.count++] = safe(&room[own], a->extract.notes[i].text);
        own++;
    }
    sw_pcapng_put_frame(&a->writer, interface->number, interface->time_digits, frame, &comments,
                        frame->drops);
    for (unsigned i = 0; i < own; i++)
        sw_writer_release(&room[i]);
    clear_remarks(&a->of_frame);
}

static void on_secrets(void *ctx, uint32_t type, struct sw_span secrets)
{
    struct annotated *a = ctx;
    begin(a);
    sw_pcapng_put_secrets(&a->writer, type, secrets);
}

static void on_end(void *ctx, int64_t end_ns, uint64_t lost_frames)
{
    struct annotated *a = ctx;
    begin(a);
    for (uint32_t i = 0; i < a->interface_count; i++) {
        if (!a->interfaces[i].written)
            continue;
        const struct sw_pcapng_statistics_info info = {.time_ns = end_ns,
                                                       .start_ns = SW_TIME_NONE,
                                                       .end_ns = end_ns,
                                                       .dropped_by_system = lost_frames};
        sw_pcapng_put_statistics(&a->writer, a->interfaces[i].number, a->interfaces[i].time_digits,
                                 &info);
        return;
    }
}

/* --- the section --- */

static void put_section(struct annotated *a)
{
    const struct sw_extract *extract = &a->extract;
    struct sw_writer room[COMMENTS + 2];
    struct sw_span texts[COMMENTS + 2 + REMARKS];
    unsigned count = 0;
    char more[120];
    char application[60];
    uint64_t left = extract->left_out;
    for (uint32_t i = 0; i < extract->session_count; i++) {
        if (count == COMMENTS || !extract->sessions[i].headline) {
            left++;
            continue;
        }
        texts[count] = safe(&room[count], extract->sessions[i].headline);
        count++;
    }
    if (left > 0) {
        (void)snprintf(more, sizeof(more), "and %llu more sessions", (unsigned long long)left);
        texts[count] = safe(&room[count], more);
        count++;
    }
    if (extract->session_count > 0 && !extract->keep_credentials) {
        texts[count] =
            safe(&room[count], "What may be a login is masked with 'A' in these frames.");
        count++;
    }
    (void)snprintf(application, sizeof(application), "smtpwhy %s", a->part->style->version);
    unsigned all = count;
    for (unsigned i = 0; i < a->of_capture.count; i++)
        texts[all++] = sw_writer_span(&a->of_capture.texts[i]);
    const struct sw_pcapng_section_info section = {.application = application,
                                                   .comments = {texts, all}};
    sw_pcapng_put_section(&a->writer, &section);
    for (unsigned i = 0; i < count; i++)
        sw_writer_release(&room[i]);
}

static void put_names(struct annotated *a)
{
    const struct sw_extract *extract = &a->extract;
    if (a->part->style->no_names)
        return;
    struct sw_pcapng_name *names = calloc(extract->name_count + 1, sizeof(*names));
    for (uint32_t i = 0; names && i < extract->name_count; i++) {
        names[i].ip_version = extract->names[i].ip_version;
        memcpy(names[i].bytes, extract->names[i].address, sizeof(names[i].bytes));
        names[i].name = sw_span_str(extract->names[i].name);
    }
    if (names && extract->name_count > 0)
        sw_pcapng_put_names(&a->writer, names, extract->name_count);
    free(names);
}

static void begin(struct annotated *a)
{
    if (a->begun)
        return;
    a->begun = true;
    put_section(a);
    put_names(a);
}

/* Keys would undo the masks where a login went through the encryption. */
static bool keeps_keys(struct sw_part *part, const struct sw_extract *extract)
{
    if (!part->style->keep_keys)
        return false;
    if (!extract->opened_logins || extract->keep_credentials)
        return true;
    part->warning = "-o pcapng: the TLS keys are left out, they would show a login; "
                    "--keep-credentials keeps both";
    return false;
}

static struct sw_extract *plan_copy(struct sw_part *part, const struct sw_extract_sink **sink)
{
    struct annotated *a = part->state;
    part->shown = a->extract.session_count;
    if (a->extract.session_count == 0)
        return NULL;
    sw_extract_ready(&a->extract);
    a->sink = (struct sw_extract_sink){.ctx = a,
                                       .comment = on_comment,
                                       .interface = on_interface,
                                       .frame = on_frame,
                                       .end = on_end};
    if (keeps_keys(part, &a->extract))
        a->sink.secrets = on_secrets;
    *sink = &a->sink;
    return &a->extract;
}

/* A file without any section would be no capture. */
static void close_capture(struct sw_part *part)
{
    struct annotated *a = part->state;
    if (!part->file && part->shown_before == 0)
        put_section(a);
    clear_remarks(&a->of_capture);
    clear_remarks(&a->of_frame);
    sw_extract_release(&a->extract);
    free(a->interfaces);
}

extern const struct sw_report_format sw_report_pcapng;
const struct sw_report_format sw_report_pcapng = {
    .name = "pcapng",
    .what = "an annotated capture: the frames of the stuck sessions (or those chosen), the "
            "verdicts as comments, logins masked",
    .state_bytes = sizeof(struct annotated),
    .open = open_capture,
    .session = add_session,
    .plan = plan_copy,
    .close = close_capture,
};
