/* recording: calls of models kept in a folder, or answered from one. */
#include "engine/recording.h"

#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/context.h"
#include "llm/tape.h"

#define RECORDING_VERSION 1
#define LABEL_MAX_BYTES (64 * 1024)

static const char *label_path(struct arena *arena, const char *dir) {
    return arena_printf(arena, "%s/recording.json", dir);
}

static int write_label(struct engine *engine, const struct engine_config *config, struct err *err) {
    const struct llm_model *model = config->model;
    json_t *label = json_own(engine->arena, json_pack("{s:i, s:s?, s:s?}", "version", RECORDING_VERSION, "planner",
                                                      config->planner, "agents", config->agents));
    if (model && model->name) {
        json_object_set_new(label, "provider", json_string(llm_format_name(model->format)));
        json_object_set_new(label, "model", json_string(model->name));
    }
    const char *text = arena_printf(engine->arena, "%s\n", json_text(engine->arena, label));
    return fs_write_file_atomic(label_path(engine->arena, config->record_dir), text, strlen(text), 0600, err);
}

static int begin_recording(struct engine *engine, const struct engine_config *config, struct err *err) {
    int rc = fs_mkdirs(config->record_dir, 0700, err);
    if (rc == 0)
        rc = write_label(engine, config, err);
    if (rc < 0)
        return err_wrap(err, "--record %s", config->record_dir);
    engine->recording_dir = fs_real(engine->arena, config->record_dir);
    engine->tape = llm_tape_record(engine->recording_dir);
    return 0;
}

static int read_label(struct engine *engine, const char *dir, json_t **out, struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    int rc = fs_read_file(label_path(engine->arena, dir), LABEL_MAX_BYTES, &text, err);
    if (rc == -ERR_NOT_FOUND)
        return err_field(err, ERR_VALIDATION, "replay", "--replay: %s is no recording: it has no recording.json", dir);
    if (rc == 0)
        rc = json_parse(engine->arena, text.data, text.len, out, err);
    if (rc < 0)
        return err_wrap(err, "--replay: %s/recording.json", dir);
    if (json_int(*out, "version", 0) != RECORDING_VERSION)
        return err_field(err, ERR_VALIDATION, "replay", "--replay: %s was recorded by another version of prazium", dir);
    return 0;
}

/* The model is asked nothing, but planner and agent want one to be named, and it has its price. */
static void name_model(struct engine *engine, const json_t *label, struct engine_config *config) {
    struct llm_model *model = arena_alloc(engine->arena, sizeof *model);
    if (config->model && config->model->name)
        return;
    *model = (struct llm_model){.name = json_str(label, "model", NULL)};
    if (model->name && llm_format_parse(json_str(label, "provider", ""), &model->format))
        config->model = model;
}

static int begin_replay(struct engine *engine, struct engine_config *config, struct err *err) {
    json_t *label = NULL;
    int rc = read_label(engine, config->replay_dir, &label, err);
    if (rc < 0)
        return rc;
    name_model(engine, label, config);
    config->planner = config->planner ? config->planner : json_str(label, "planner", NULL);
    config->agents = config->agents ? config->agents : json_str(label, "agents", NULL);
    engine->recording_dir = fs_real(engine->arena, config->replay_dir);
    engine->tape = llm_tape_replay(engine->recording_dir);
    return 0;
}

int recording_open(struct engine *engine, struct engine_config *config, struct err *err) {
    if (config->record_dir && config->replay_dir)
        return err_field(err, ERR_VALIDATION, "replay", "--record and --replay exclude each other");
    if (config->record_dir)
        return begin_recording(engine, config, err);
    return config->replay_dir ? begin_replay(engine, config, err) : 0;
}

bool recording_misfits(const struct engine *engine, const struct err *why) {
    return why->code == ERR_CONFLICT && tape_is_replay(engine->tape);
}
