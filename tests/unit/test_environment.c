/* environment: what the worker is told, and what is kept from it. */
#include "kernel/front/environment.h"

#include "core/base/buf.h"
#include "tests/check.h"

static const char *kept(char *const *all) {
    struct buf *out = buf_new(check_arena());
    for (char **at = environment_kept(check_arena(), all); *at; at++) {
        buf_printf(out, "%s%s", out->length > 0 ? " " : "", *at);
    }
    return out->data;
}

TEST(environment_keeps_what_the_worker_reads) {
    char *all[] = { "HOME=/home/x",
                    "CUTAWAY_MODELS=/a:/b",
                    "LC_ALL=zh_CN.UTF-8",
                    "LANG=",
                    "HF_HOME=/hf",
                    "MEM_LIMIT=4GB",
                    NULL };
    check_same(kept(all), "HOME=/home/x CUTAWAY_MODELS=/a:/b LC_ALL=zh_CN.UTF-8 LANG= "
                          "HF_HOME=/hf MEM_LIMIT=4GB");
}

TEST(environment_keeps_no_secret) {
    char *all[] = { "HF_TOKEN=a",
                    "JUPYTERHUB_API_TOKEN=b",
                    "AWS_SECRET_ACCESS_KEY=c",
                    "HOMEWORK=d",
                    "HOM=e",
                    "PATH=/bin",
                    "CUTAWAY=f",
                    "XHOME=g",
                    "HF_HOME_TOKEN=h",
                    "DBUS_X=/run",
                    "",
                    "=",
                    "HOME",
                    NULL };
    check_same(kept(all), "HOME");
    check_same(kept((char *[]){ NULL }), "");
    check_same(kept(NULL), "");
}
