/* services: the apps that provider `local` has running, and the watch over them. */
#include "engine/services.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/journal.h"
#include "store/deliveries.h"

#define WATCH_MS 1000
#define RESTARTS_MAX 3 /* of an app that keeps ending by itself, before it has failed */
#define STOP_GRACE_MS 2000

struct service {
    struct list node;
    char deployment_id[ID_LEN];
    struct sandbox_service *process; /* NULL: on its way back */
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
    list_for_each(node, next, &services->all) {
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
                             &(struct job_spec){.kind = JOB_DEPLOYMENT_START, .project_id = row->project_id, .subject_id = row->id, .is_exclusive = true},
                             err);
    return rc;
}

/* The caller holds the lock, which is given back meanwhile. */
static void bring_back(struct services *services, struct service *service) {
    struct err err = {0};
    struct arena *arena = arena_create();
    char id[ID_LEN];
    const char *output = sandbox_service_output(service->process, arena);
    size_t len = strlen(output);
    str_copy(id, sizeof id, service->deployment_id);
    struct back_call call = {.deployment_id = id, .has_failed = ++service->restarts > RESTARTS_MAX, .output = len > 300 ? output + len - 300 : output};
    struct sandbox_service *process = take(service->process);
    pthread_mutex_unlock(&services->lock);
    sandbox_service_stop(process, 0);
    log_event(LOG_WARN, "a deployed app ended by itself", "deployment", id, NULL);
    if (journal_write(services->engine, bring_back_in_tx, &call, &err) < 0)
        log_event(LOG_ERROR, "cannot bring a deployed app back", "deployment", id, "error", err.message, NULL);
    arena_destroy(arena);
    pthread_mutex_lock(&services->lock);
}

static void *watch_main(void *arg) {
    struct services *services = arg;
    pthread_mutex_lock(&services->lock);
    while (!services->is_ending) {
        struct service *ended = NULL;
        list_for_each(node, next, &services->all) {
            struct service *service = container_of(node, struct service, node);
            if (service->process && !sandbox_service_is_running(service->process))
                ended = service;
        }
        if (ended) {
            bring_back(services, ended);
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += WATCH_MS / 1000;
        pthread_cond_timedwait(&services->changed, &services->lock, &until);
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
    pthread_cond_init(&services->changed, NULL);
    if (pthread_create(&services->watch, NULL, watch_main, services) != 0) {
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
    list_for_each(node, next, &services->all) {
        struct service *service = container_of(node, struct service, node);
        sandbox_service_stop(service->process, STOP_GRACE_MS);
        free(service);
    }
    pthread_cond_destroy(&services->changed);
    pthread_mutex_destroy(&services->lock);
    free(services);
}

void services_add(struct services *services, const char *deployment_id, struct sandbox_service *process) {
    pthread_mutex_lock(&services->lock);
    struct service *service = find(services, deployment_id);
    if (!service) {
        service = mem_alloc(sizeof *service);
        str_copy(service->deployment_id, sizeof service->deployment_id, deployment_id);
        list_append(&services->all, &service->node);
    }
    struct sandbox_service *old = service->process;
    service->process = process;
    pthread_mutex_unlock(&services->lock);
    sandbox_service_stop(old, STOP_GRACE_MS);
}

void services_remove(struct services *services, const char *deployment_id) {
    pthread_mutex_lock(&services->lock);
    struct service *service = find(services, deployment_id);
    if (service)
        list_remove(&service->node);
    pthread_mutex_unlock(&services->lock);
    if (!service)
        return;
    sandbox_service_stop(service->process, STOP_GRACE_MS);
    free(service);
}
