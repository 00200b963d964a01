/* planner: questions, specs and their answers: the entry to the planner. */
#include "planner/planner.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/draft.h"

int planner_create(struct planner **out, const struct assets *assets, const struct catalog *catalog,
                   const struct stack *stack, struct err *err) {
    struct planner *planner = mem_alloc(sizeof *planner);
    *planner = (struct planner){.assets = assets, .catalog = catalog, .stack = stack, .arena = arena_create()};
    int rc = lexicon_open(planner, err);
    if (rc < 0) {
        planner_destroy(planner);
        return rc;
    }
    *out = planner;
    return 0;
}

void planner_destroy(struct planner *planner) {
    if (!planner)
        return;
    arena_destroy(planner->arena);
    free(planner);
}

int planner_questions(const struct planner *planner, const struct planner_input *input, struct arena *arena,
                      json_t **questions, struct err *err) {
    struct draft draft;
    int rc = draft_make(&draft, planner, input, NULL, arena, err);
    if (rc < 0)
        return rc;
    *questions = questions_pick(&draft);
    return 0;
}

json_t *input_answers(const struct planner_input *input, struct arena *arena) {
    json_t *answers = json_own(arena, json_object()), *question;
    size_t i;
    json_array_foreach ((json_t *)input->questions, i, question) {
        const char *id = json_str(question, "id", "");
        const json_t *given = find_by(input->answers, "questionId", id, NULL);
        json_t *answer = json_object_get(given, "answer");
        if (!answer)
            answer = json_object_get(question, "default");
        if (answer && *id)
            json_object_set(answers, id, answer);
    }
    return answers;
}

int planner_spec(const struct planner *planner, const struct planner_input *input, struct arena *arena,
                 struct planner_spec *out, struct err *err) {
    struct draft draft;
    int rc = 0;
    if (input->questions && input->answers)
        rc = planner_check_answers(input->questions, input->answers, err);
    if (rc == 0)
        rc = draft_make(&draft, planner, input, input_answers(input, arena), arena, err);
    if (rc < 0)
        return rc;
    draft_finish(&draft);
    json_t *plan = plan_make(&draft), *documents;
    rc = plan_documents(planner, plan, arena, &documents, err);
    if (rc < 0)
        return rc;
    *out = (struct planner_spec){.documents = documents, .plan = plan, .open_points = draft.open_points};
    return 0;
}
