/** The commands that the kernel knows. Written by `make keywords` from its table. */

export interface Command {
  /** It takes a text below its line, and so begins with %%; `bare`: it means something without one too. */
  readonly body: boolean;
  readonly bare: boolean;
  readonly subcommands: readonly string[];
  /** Of each option its choices, or of what kind its value is. */
  readonly options: Readonly<Record<string, readonly string[] | 'switch' | 'int' | 'list' | 'name' | 'text'>>;
}

export const COMMANDS: Readonly<Record<string, Command>> = {
"model": {"body":false,"bare":false,"subcommands":["load","new","round","list","use","info","unload"],"options":{"as":"name","layers":"int","hidden":"int","gain":"text","memory":"int","bits":"int","act":["tanh","relu"],"alphabet":"text","seed":"int","lang":["en","zh"]}},
"info": {"body":false,"bare":false,"subcommands":[],"options":{"model":"name","as":"name","lang":["en","zh"]}},
"data": {"body":false,"bare":false,"subcommands":[],"options":{"column":"text","first":"int","lang":["en","zh"]}},
"tokens": {"body":true,"bare":false,"subcommands":[],"options":{"model":"name","data":"name","whole":"switch","as":"name","lang":["en","zh"]}},
"predict": {"body":true,"bare":false,"subcommands":[],"options":{"top":"int","target":"text","vs":"text","data":"name","model":"name","as":"name","lang":["en","zh"]}},
"generate": {"body":true,"bare":false,"subcommands":[],"options":{"max":"int","temperature":"text","top-k":"int","top-p":"text","seed":"int","stop":"text","chat":"switch","top":"int","model":"name","as":"name","lang":["en","zh"]}},
"surprisal": {"body":true,"bare":false,"subcommands":[],"options":{"unit":["token","word","line"],"view":["both","text","curve"],"window":"int","stride":"int","bos":"switch","whole":"switch","data":"name","model":"name","as":"name","lang":["en","zh"]}},
"attention": {"body":true,"bare":false,"subcommands":[],"options":{"view":["grid","head","rollout"],"layer":"list","head":"list","unit":["token","word"],"of":["encoder","decoder","cross"],"model":"name","data":"name","as":"name","lang":["en","zh"]}},
"gradients": {"body":true,"bare":false,"subcommands":[],"options":{"view":["auto","histogram","flow","norms","units","all"],"by":["layer","tensor"],"bins":"int","target":"text","seed":"int","data":"name","whole":"switch","model":"name","as":"name","lang":["en","zh"]}},
"weights": {"body":false,"bare":false,"subcommands":[],"options":{"view":["auto","histogram","norms","cost","all"],"by":["layer","tensor"],"bins":"int","vs":"name","model":"name","as":"name","lang":["en","zh"]}},
"activations": {"body":true,"bare":false,"subcommands":[],"options":{"site":"name","layer":"list","pos":"list","norm":["layer","log","none"],"neuron":"text","top":"int","by":["z","activation"],"values":"switch","data":"name","model":"name","as":"name","lang":["en","zh"]}},
"embed": {"body":true,"bare":true,"subcommands":[],"options":{"of":["tokens","words","sentences","states"],"layer":"int","method":["auto","pca","tsne","umap"],"dim":"int","count":"int","perplexity":"text","neighbours":"int","steps":"int","seed":"int","model":"name","data":"name","as":"name","lang":["en","zh"]}},
"neighbours": {"body":true,"bare":false,"subcommands":[],"options":{"of":["words","sentences"],"among":"name","top":"int","model":"name","as":"name","lang":["en","zh"]}},
"show": {"body":false,"bare":false,"subcommands":[],"options":{"view":["grid","head"],"layer":"list","head":"list","theme":["light","dark"],"colours":["cutaway","viridis","grey"],"lang":["en","zh"]}},
"save": {"body":false,"bare":false,"subcommands":[],"options":{"dpi":"int","view":["grid","head"],"layer":"list","head":"list","theme":["light","dark"],"colours":["cutaway","viridis","grey"],"lang":["en","zh"]}},
"results": {"body":false,"bare":false,"subcommands":[],"options":{"lang":["en","zh"]}},
"help": {"body":false,"bare":false,"subcommands":[],"options":{"lang":["en","zh"]}},
"set": {"body":false,"bare":false,"subcommands":["language","theme","colours","seed","time"],"options":{}},
"limit": {"body":false,"bare":false,"subcommands":[],"options":{"lang":["en","zh"]}},
"time": {"body":false,"bare":false,"subcommands":["on","off"],"options":{}},
"seed": {"body":false,"bare":false,"subcommands":[],"options":{}},
"ask": {"body":false,"bare":false,"subcommands":[],"options":{"secret":"switch","as":"name","lang":["en","zh"]}},
"echo": {"body":false,"bare":false,"subcommands":[],"options":{"stderr":"switch"}},
"clear": {"body":false,"bare":false,"subcommands":[],"options":{"wait":"switch"}}
};
