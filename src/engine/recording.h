/* recording: calls of models kept in a folder, or answered from one (llm/tape.h). */
#ifndef ENGINE_RECORDING_H
#define ENGINE_RECORDING_H

#include "engine/engine.h"

/* Opens engine->tape as config says. DIR/recording.json says who planned, who carried out, and by which model: a replay
 * goes by it where config names nobody. ERR_VALIDATION, field "record" or "replay". */
MUST_CHECK int recording_open(struct engine *engine, struct engine_config *config, struct err *err);
/* Whether why says that the recording does not fit: then another attempt fits no better. */
bool recording_misfits(const struct engine *engine, const struct err *why);

#endif
