export {
  DataLoader,
  // biome-ignore lint/style/noDefaultExport: where users of graphql/dataloader look for it
  DataLoader as default,
  // What require() of this entry gives, as that of the original does.
  DataLoader as 'module.exports',
} from './batching/data-loader.ts'
