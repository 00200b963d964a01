/* services: the apps that provider `local` has running, and the watch over them. */
#include "engine/services.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/wait.h"
#include "engine/journal.h"
#include "store/deliveries.h"

#define WATCH_MS 1000
#define RESTARTS_MAX 3             /* of an app that keeps ending by itself, before it has failed */
#define STEADY_MS (10 * 60 * 1000) /* an app that lived this long did not end because of how it began */
#define STOP_GRACE_MS 2000

struct service {
    struct list node;
    char deployment_id[ID_LEN];
    struct sandbox_service *process; /* NULL: on its way, or on its way back */
    bool is_arriving;                /* a job builds and starts it */
    int64_t began_ms;                /* monotonic; of the process */
    int restarts;
};

struct services {
    struct engine *engine;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct list all;
    bool is_ending;
    pthread_t watch;
};

static struct service *find(struct services *services, const char *deployment_id) {
    list_for_each (node, next, &services->all) {
        struct service *service = container_of(node, struct service, node);
        if (str_eq(service->deployment_id, deployment_id))
            return service;
    }
    return NULL;
}

struct back_call {
    const char *deployment_id;
    bool has_failed;
    const char *output;
};

/* An app that ended goes back to deploying, with a job that starts it again, or has failed. */
static int bring_back_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct back_call *call = arg;
    struct deployment *row = NULL;
    int rc = store_deployment_get(journal->db, journal->arena, call->deployment_id, NULL, &row, err);
    if (rc < 0 || !row || row->state != DEPLOYMENT_LIVE)
        return rc;
    if (call->has_failed) {
        row->error = arena_printf(journal->arena, "the app keeps ending by itself; its last output: %s", call->output);
        return journal_deployment_move(journal, row, DEPLOYMENT_FAILED, err);
    }
    rc = journal_deployment_move(journal, row, DEPLOYMENT_DEPLOYING, err);
    if (rc == 0)
        rc = journal_enqueue(journal,
                             &(struct job_spec){.kind = JOB_DEPLOYMENT_START,
                                                .project_id = row->project_id,
                                                .subject_id = row->id,
                                                .is_exclusive = true},
                             err);
    return rc;
}

/* The caller holds the lock, which is given back meanwhile. False when it could not be recorded: the ended process
 * stays in its place, so that the next look tries again. */
static bool bring_back(struct services *services, struct service *service) {
    struct err err = {0};
    struct arena *arena = arena_create();
    char id[ID_LEN];
    int before = clock_mono_ms() - service->began_ms >= STEADY_MS ? 0 : service->restarts;
    str_copy(id, sizeof id, service->deployment_id);
    struct back_call call = {.deployment_id = id,
                             .has_failed = before == RESTARTS_MAX,
                             .output = str_tail(sandbox_service_output(service->process, arena), 300)};
    struct sandbox_service *process = take(service->process);
    service->restarts = before + 1;
    pthread_mutex_unlock(&services->lock);
    log_event(LOG_WARN, "a deployed app ended by itself", "deployment", id, NULL);
    int rc = journal_write(services->engine, bring_back_in_tx, &call, &err);
    if (rc < 0)
        log_event(LOG_ERROR, "cannot bring a deployed app back", "deployment", id, "error", err.message, NULL);
    else
        sandbox_service_stop(process, 0);
    arena_destroy(arena);
    pthread_mutex_lock(&services->lock);
    service = find(services, id);
    if (rc < 0 && service && !service->process) {
        service->process = process;
        service->restarts = before;
    } else if (rc < 0) {
        sandbox_service_stop(process, 0);
    } else if (call.has_failed && service && !service->process) {
        list_remove(&service->node);
        free(service);
    }
    return rc == 0;
}

static void *watch_main(void *arg) {
    struct services *services = arg;
    pthread_mutex_lock(&services->lock);
    while (!services->is_ending) {
        struct service *ended = NULL;
        list_for_each (node, next, &services->all) {
            struct service *service = container_of(node, struct service, node);
            if (service->process && !sandbox_service_is_running(service->process))
                ended = service;
        }
        if (!ended || !bring_back(services, ended))
            (void)wait_ms(&services->changed, &services->lock, WATCH_MS);
    }
    pthread_mutex_unlock(&services->lock);
    store_thread_end(services->engine->store);
    return NULL;
}

/* What was live under an earlier instance starts again. */
static int restart_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct deployment *rows = NULL;
    size_t count = 0;
    int rc = store_deployment_list(journal->db, journal->arena, NULL, DEPLOYMENT_LIVE, &rows, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = bring_back_in_tx(journal, &(struct back_call){.deployment_id = rows[i].id}, err);
    return rc;
}

int services_create(struct services **out, struct engine *engine, struct err *err) {
    int rc = journal_write(engine, restart_in_tx, NULL, err);
    if (rc < 0)
        return rc;
    struct services *services = mem_alloc(sizeof *services);
    services->engine = engine;
    list_init(&services->all);
    pthread_mutex_init(&services->lock, NULL);
    wait_init(&services->changed);
    if (pthread_create(&services->watch, NULL, watch_main, services) != 0) {
        pthread_cond_destroy(&services->changed);
        pthread_mutex_destroy(&services->lock);
        free(services);
        return err_set(err, ERR_UNAVAILABLE, "cannot start the thread that watches over deployments");
    }
    *out = services;
    return 0;
}

void services_destroy(struct services *services) {
    if (!services)
        return;
    pthread_mutex_lock(&services->lock);
    services->is_ending = true;
    pthread_cond_broadcast(&services->changed);
    pthread_mutex_unlock(&services->lock);
    pthread_join(services->watch, NULL);
    list_for_each (node, next, &services->all) {
        struct service *service = container_of(node, struct service, node);
        sandbox_service_stop(service->process, STOP_GRACE_MS);
        free(service);
    }
    pthread_cond_destroy(&services->changed);
    pthread_mutex_destroy(&services->lock);
    free(services);
}

/* The caller holds the lock. */
static struct service *find_or_make(struct services *services, const char *deployment_id) {
    struct service *service = find(services, deployment_id);
    if (service)
        return service;
    service = mem_alloc(sizeof *service);
    str_copy(service->deployment_id, sizeof service->deployment_id, deployment_id);
    list_append(&services->all, &service->node);
    return service;
}

void services_expect(struct services *services, const char *deployment_id) {
    pthread_mutex_lock(&services->lock);
    find_or_make(services, deployment_id)->is_arriving = true;
    pthread_mutex_unlock(&services->lock);
}

void services_forget(struct services *services, const char *deployment_id) {
    pthread_mutex_lock(&services->lock);
    struct service *service = find(services, deployment_id);
    if (service)
        service->is_arriving = false;
    /* One that is on its way back keeps its count of restarts. */
    if (service && !service->process && service->restarts == 0) {
        list_remove(&service->node);
        free(service);
    }
    pthread_cond_broadcast(&services->changed);
    pthread_mutex_unlock(&services->lock);
}

void services_add(struct services *services, const char *deployment_id, struct sandbox_service *process) {
    pthread_mutex_lock(&services->lock);
    struct service *service = find_or_make(services, deployment_id);
    struct sandbox_service *old = service->process;
    service->process = process;
    service->began_ms = clock_mono_ms();
    service->is_arriving = false;
    pthread_cond_broadcast(&services->changed);
    pthread_mutex_unlock(&services->lock);
    sandbox_service_stop(old, STOP_GRACE_MS);
}

bool services_remove(struct services *services, const char *deployment_id, int64_t timeout_ms) {
    int64_t deadline = clock_mono_ms() + timeout_ms, left;
    pthread_mutex_lock(&services->lock);
    struct service *service = find(services, deployment_id);
    while (service && service->is_arriving && (left = deadline - clock_mono_ms()) > 0) {
        (void)wait_ms(&services->changed, &services->lock, left);
        service = find(services, deployment_id); /* it may have gone meanwhile */
    }
    bool is_arriving = service && service->is_arriving;
    if (service && !is_arriving)
        list_remove(&service->node);
    pthread_mutex_unlock(&services->lock);
    if (!service || is_arriving)
        return !is_arriving;
    sandbox_service_stop(service->process, STOP_GRACE_MS);
    free(service);
    return true;
}
