module.exports = { optimization: { moduleIds: 'natural', chunkIds: 'natural' } };
