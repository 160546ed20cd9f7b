#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

/* faults: functions of the system and of libraries that fail when a test says so.
 *
 * The unit tests are linked so that these come here first: getrandom, json_dumps, nanosleep,
 * pthread_create, zmq_bind, zmq_ctx_new, zmq_getsockopt, zmq_has, zmq_msg_recv, zmq_msg_send,
 * zmq_poll, zmq_send and OpenSSL's EVP_MAC_fetch, EVP_MAC_CTX_dup, EVP_MAC_update and
 * EVP_MAC_final. */

/* Of this thread's calls of the function, `after` go on as ever; then `times` fail with `error`
 * in errno. Two functions can be made to fail at a time; faults_end ends it. */
void faults_set(const char *function, int after, int times, int error);
void faults_end(void);

#endif
