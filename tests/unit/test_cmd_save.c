#include <string.h>

#include "core/base/file.h"
#include "tests/check.h"
#include "tests/png_read.h"
#include "tests/stage.h"
#include "tests/xml_read.h"

/* A session with a small result kept as "r", and the folder that files go to. */
static struct session *with_result(const char **folder) {
    struct session *session = stage_session();
    *folder = check_folder(check_arena());
    stage_run(session, "%model new rnn --layers 2 --seed 1");
    stage_run(session, "%%gradients --view norms --as r\nThe cat sat on it.");
    check_int(stage_err.kind, ERR_NONE);
    return session;
}

static const struct file *saved(struct session *session, const char *folder, const char *name,
                                const char *options) {
    struct err err = { 0 };
    const char *path = arena_printf(check_arena(), "%s/%s", folder, name);
    stage_run(session, arena_printf(check_arena(), "%%save _ %s %s", path, options));
    check_same(stage_err.text, "");
    const struct file *file = file_map(check_arena(), path, &err);
    check_same(err.text, "");
    return file;
}

static void check_refused(struct session *session, const char *line, const char *why) {
    stage_run(session, line);
    check_int(stage_err.kind, ERR_OPTION);
    check_text(stage_err.text, why);
    check_int(stage_err.line, 1);
}

static const struct png_read *png_of(const struct file *file) {
    return png_read(check_arena(), file->bytes, (size_t)file->size);
}

/* 300 dots an inch are 11,811 a metre; 96 are a pixel of the screen each. */
TEST(cmd_save_writes_a_picture_of_any_resolution) {
    const char *folder;
    struct session *session = with_result(&folder);
    const struct png_read *usual = png_of(saved(session, folder, "a.png", ""));
    const struct png_read *screen = png_of(saved(session, folder, "b.png", "--dpi 96"));
    const struct png_read *print = png_of(saved(session, folder, "c.png", "--dpi 300"));
    if (check(usual && screen && print)) {
        check_int(usual->per_metre, 7559);
        check_int(screen->per_metre, 3780);
        check_int(print->per_metre, 11811);
        check_int(usual->width, 2 * screen->width);
        check_near(print->width, screen->width * 300.0 / 96, 1);
        check_near(print->height, screen->height * 300.0 / 96, 1);
    }
}

TEST(cmd_save_refuses_resolutions_that_are_none) {
    const char *folder;
    struct session *session = with_result(&folder);
    check_refused(session, "%save _ a.png --dpi 0", "from 24 to 2400");
    check_refused(session, "%save _ a.png --dpi 100000", "from 24 to 2400");
    check_refused(session, "%save _ a.png --dpi -300", "from 24 to 2400");
    check_refused(session, "%save _ a.png --dpi fine", "from 24 to 2400");
    check_refused(session, "%save _ a.svg --dpi 300", "--dpi is for .png");
    check_refused(session, "%save _ a.csv --dpi 300", "--dpi is for .png");
    check_refused(session, "%save _ a.jpg", ".png, .svg, .pdf");
    check_refused(session, "%save _ a.png --theme blue", "blue");
    check_refused(session, "%save _ a.png --colours jet", "jet");
}

/* The same layout in all forms: 1 pixel of a screen is 0.75 points. */
TEST(cmd_save_writes_svg_and_pdf) {
    const char *folder, *why;
    struct session *session = with_result(&folder);
    const struct png_read *png = png_of(saved(session, folder, "a.png", "--dpi 96"));
    const struct file *svg = saved(session, folder, "a.svg", "");
    const struct file *pdf = saved(session, folder, "a.pdf", "");
    const struct xml_read *read =
        xml_read(check_arena(), (const char *)svg->bytes, (size_t)svg->size, &why);
    check_same(why, "");
    if (check(png && read)) {
        check_text(read->attributes,
                   arena_printf(check_arena(), "viewBox=0 0 %lld %lld\n", (long long)png->width,
                                (long long)png->height));
        check_text(read->texts, "layer 1\n");
        check_text(read->title, "Gradient norms");
    }
    const char *box = arena_printf(check_arena(), "/MediaBox [ 0 0 %g %g ]",
                                   0.75 * (double)png->width, 0.75 * (double)png->height);
    check(memmem(pdf->bytes, (size_t)pdf->size, box, strlen(box)) != NULL);
}

/* Both say when they were made nowhere: once more is the same. */
TEST(cmd_save_writes_the_same_again) {
    const char *folder;
    struct session *session = with_result(&folder);
    static const char *const endings[] = { "svg", "pdf", "png", "html" };
    for (int i = 0; i < 4; i++) {
        const char *name = arena_printf(check_arena(), "a.%s", endings[i]);
        const char *again = arena_printf(check_arena(), "b.%s", endings[i]);
        const struct file *one = saved(session, folder, name, "--theme dark");
        stage_run(session, "%show _ --theme light --colours grey");
        const struct file *two = saved(session, folder, again, "--theme dark");
        check_int(one->size, two->size);
        check(memcmp(one->bytes, two->bytes, (size_t)one->size) == 0);
    }
}

TEST(cmd_save_writes_a_page_of_its_own) {
    const char *folder;
    struct session *session = with_result(&folder);
    const struct file *file = saved(session, folder, "a.html", "--theme dark");
    const char *page =
        arena_printf(check_arena(), "%.*s", (int)file->size, (const char *)file->bytes);
    check(strncmp(page, "<!DOCTYPE html>\n<html lang=\"en\">", 32) == 0);
    check_text(page, "<meta charset=\"utf-8\">");
    check_text(page, "<title>Gradient norms");
    check_text(page, "background:#161616");
    check_text(page, "</html>\n");
}

/* Of %set where the line does not say; the line's own where it does. */
TEST(cmd_save_follows_the_theme) {
    const char *folder, *dark = "fill=\"#161616\"";
    struct session *session = with_result(&folder);
    stage_run(session, "%set theme dark");
    const struct file *set = saved(session, folder, "a.svg", "");
    const struct file *said = saved(session, folder, "b.svg", "--theme light");
    check(memmem(set->bytes, (size_t)set->size, dark, strlen(dark)) != NULL);
    check(memmem(said->bytes, (size_t)said->size, dark, strlen(dark)) == NULL);
}
