#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

/* faults: functions of the system and of libraries that fail when a test says so.
 *
 * The unit tests are linked so that these come here first: getrandom, pthread_create,
 * zmq_ctx_new, zmq_send, zmq_msg_send, zmq_msg_recv, zmq_getsockopt, zmq_has and OpenSSL's
 * EVP_MAC functions. */

/* Of this thread's calls of the function, `after` go on as ever; then `times` fail with `error`
 * in errno. One fault at a time: the next takes its place, and faults_end takes it away. */
void faults_set(const char *function, int after, int times, int error);
void faults_end(void);

#endif
