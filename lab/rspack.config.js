/* Numbers for names, in order, so that a build gives the same bytes in any folder. The builder leaves a copy of
 * package.json for its own comparison, which no one reads once it is installed. */
const { rmSync } = require('fs');
const { join } = require('path');

const tidy = {
  apply: compiler =>
    compiler.hooks.done.tap('tidy', () => rmSync(join(__dirname, 'labextension/schemas/cutaway-lab/package.json.orig'), { force: true }))
};
module.exports = { optimization: { moduleIds: 'natural', chunkIds: 'natural' }, plugins: [tidy] };
