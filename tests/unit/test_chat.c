#include "core/text/chat.h"

#include <string.h>

#include "tests/check.h"

/* Templates as their models publish them (parts about tools and pictures left out), and what
 * Jinja 3.1.6 makes of them with trim_blocks and lstrip_blocks: four conversations, each with
 * and without the prompt for the assistant; NULL where the template raises an exception. */

static const struct chat_message hello = { CHAT_USER, " Hello\n" },
                                 more = { CHAT_USER, "And?" },
                                 brief = { CHAT_SYSTEM, " Be brief. " },
                                 answer = { CHAT_ASSISTANT,
                                            "<think>\nhm\n</think>\n\n  I am <b>  " };

static const struct {
    const char *name, *template, *texts[8];
} cases[] = {
    { "ChatML",
      "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['con"
      "tent'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_star"
      "t|>assistant\n' }}{% endif %}",
      { "<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>"
        "\n\n  I am <b>  <|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant"
        "\n",
        "<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>"
        "\n\n  I am <b>  <|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>u"
        "ser\nAnd?<|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>u"
        "ser\nAnd?<|im_end|>\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n",
        "<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>"
        "\n\n  I am <b>  <|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>"
        "\n\n  I am <b>  <|im_end|>\n" } },
    { "ChatML",
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{"
      "{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}{{'<|im"
      "_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% end"
      "for %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
      { "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n Hell"
        "o\n<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end"
        "|>\n<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n Hell"
        "o\n<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end"
        "|>\n<|im_start|>user\nAnd?<|im_end|>\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>u"
        "ser\nAnd?<|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>u"
        "ser\nAnd?<|im_end|>\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n",
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n Hell"
        "o\n<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end"
        "|>\n<|im_start|>assistant\n",
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n Hell"
        "o\n<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end"
        "|>\n" } },
    { "ChatML",
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{"
      "{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Huggin"
      "g Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message["
      "'content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_"
      "start|>assistant\n' }}{% endif %}",
      { "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging"
        " Face<|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<thin"
        "k>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n<|im_"
        "start|>assistant\n",
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging"
        " Face<|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<thin"
        "k>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>u"
        "ser\nAnd?<|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>u"
        "ser\nAnd?<|im_end|>\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n",
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging"
        " Face<|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<thin"
        "k>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging"
        " Face<|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<thin"
        "k>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n" } },
    { "ChatML",
      "{%- if tools %}\n    {{- '<|im_start|>system\\n' }}\n    {%- if messages[0]['role'] ="
      "= 'system' %}\n        {{- messages[0]['content'] }}\n    {%- else %}\n        {{- 'Y"
      "ou are Qwen, created by Alibaba Cloud. You are a helpful assistant.' }}\n    {%- endi"
      "f %}\n    {{- \"\\n\\n# Tools\" }}\n{%- else %}\n    {%- if messages[0]['role'] == 's"
      "ystem' %}\n        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>"
      "\\n' }}\n    {%- else %}\n        {{- '<|im_start|>system\\nYou are Qwen, created by "
      "Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}\n    {%- endif %}\n{%- e"
      "ndif %}\n{%- for message in messages %}\n    {%- if (message.role == \"user\") or (me"
      "ssage.role == \"system\" and not loop.first) or (message.role == \"assistant\" and no"
      "t message.tool_calls) %}\n        {{- '<|im_start|>' + message.role + '\\n' + message"
      ".content + '<|im_end|>' + '\\n' }}\n    {%- endif %}\n{%- endfor %}\n{%- if add_gener"
      "ation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n",
      { "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assis"
        "tant.<|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<thin"
        "k>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n<|im_"
        "start|>assistant\n",
        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assis"
        "tant.<|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<thin"
        "k>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>u"
        "ser\nAnd?<|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n<think>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>u"
        "ser\nAnd?<|im_end|>\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n",
        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assis"
        "tant.<|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<thin"
        "k>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assis"
        "tant.<|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<thin"
        "k>\nhm\n</think>\n\n  I am <b>  <|im_end|>\n" } },
    { "Qwen 3",
      "{%- if messages[0].role == 'system' %}\n    {{- '<|im_start|>system\\n' + messages[0]"
      ".content + '<|im_end|>\\n' }}\n{%- endif %}\n{%- set ns = namespace(multi_step_tool=t"
      "rue, last_query_index=messages|length - 1) %}\n{%- for message in messages[::-1] %}\n"
      "    {%- set index = (messages|length - 1) - loop.index0 %}\n    {%- if ns.multi_step_"
      "tool and message.role == \"user\" and message.content is string and not(message.conte"
      "nt.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}"
      "\n        {%- set ns.multi_step_tool = false %}\n        {%- set ns.last_query_index "
      "= index %}\n    {%- endif %}\n{%- endfor %}\n{%- for message in messages %}\n    {%- "
      "set content = message.content %}\n    {%- if (message.role == \"user\") or (message.r"
      "ole == \"system\" and not loop.first) %}\n        {{- '<|im_start|>' + message.role +"
      " '\\n' + content + '<|im_end|>' + '\\n' }}\n    {%- elif message.role == \"assistant"
      "\" %}\n        {%- set reasoning_content = '' %}\n        {%- if '</think>' in conten"
      "t %}\n            {%- set reasoning_content = content.split('</think>')[0].rstrip('\\"
      "n').split('<think>')[-1].lstrip('\\n') %}\n            {%- set content = content.spli"
      "t('</think>')[-1].lstrip('\\n') %}\n        {%- endif %}\n        {%- if loop.index0 "
      "> ns.last_query_index %}\n            {%- if loop.last or (not loop.last and reasonin"
      "g_content) %}\n                {{- '<|im_start|>' + message.role + '\\n<think>\\n' + "
      "reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}\n    "
      "        {%- else %}\n                {{- '<|im_start|>' + message.role + '\\n' + cont"
      "ent }}\n            {%- endif %}\n        {%- else %}\n            {{- '<|im_start|>'"
      " + message.role + '\\n' + content }}\n        {%- endif %}\n        {{- '<|im_end|>\\"
      "n' }}\n    {%- endif %}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|i"
      "m_start|>assistant\\n' }}\n    {%- if enable_thinking is defined and enable_thinking "
      "is false %}\n        {{- '<think>\\n\\n</think>\\n\\n' }}\n    {%- endif %}\n{%- endi"
      "f %}",
      { "<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n  I am <b>  <|im_end|>"
        "\n<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n  I am <b>  <|im_end|>"
        "\n<|im_start|>user\nAnd?<|im_end|>\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n  I am <b>  <|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n<|im"
        "_start|>assistant\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n  I am <b>  <|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n<|"
        "im_start|>assistant\n",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hello\n<|im_end|>\n",
        "<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>"
        "\n\n  I am <b>  <|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>user\n Hello\n<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>"
        "\n\n  I am <b>  <|im_end|>\n" } },
    { "Llama 3",
      "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = "
      "'<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content']"
      " | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + conten"
      "t %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_hea"
      "der_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
      { "<s><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>as"
        "sistant<|end_header_id|>\n\n<think>\nhm\n</think>\n\n  I am <b><|eot_id|><|start_he"
        "ader_id|>user<|end_header_id|>\n\nAnd?<|eot_id|><|start_header_id|>assistant<|end_h"
        "eader_id|>\n\n",
        "<s><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>as"
        "sistant<|end_header_id|>\n\n<think>\nhm\n</think>\n\n  I am <b><|eot_id|><|start_he"
        "ader_id|>user<|end_header_id|>\n\nAnd?<|eot_id|>",
        "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_"
        "id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_heade"
        "r_id|>\n\n<think>\nhm\n</think>\n\n  I am <b><|eot_id|><|start_header_id|>user<|end"
        "_header_id|>\n\nAnd?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_"
        "id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_heade"
        "r_id|>\n\n<think>\nhm\n</think>\n\n  I am <b><|eot_id|><|start_header_id|>user<|end"
        "_header_id|>\n\nAnd?<|eot_id|>",
        "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_"
        "id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_heade"
        "r_id|>\n\n",
        "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_"
        "id|>user<|end_header_id|>\n\nHello<|eot_id|>",
        "<s><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>as"
        "sistant<|end_header_id|>\n\n<think>\nhm\n</think>\n\n  I am <b><|eot_id|><|start_he"
        "ader_id|>assistant<|end_header_id|>\n\n",
        "<s><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>as"
        "sistant<|end_header_id|>\n\n<think>\nhm\n</think>\n\n  I am <b><|eot_id|>" } },
    { "Llama 3.1",
      "{{- bos_token }}\n{%- if not date_string is defined %}\n    {%- set date_string = \"2"
      "6 Jul 2024\" %}\n{%- endif %}\n{%- if messages[0]['role'] == 'system' %}\n    {%- set"
      " system_message = messages[0]['content']|trim %}\n    {%- set messages = messages[1:]"
      " %}\n{%- else %}\n    {%- set system_message = \"\" %}\n{%- endif %}\n{{- \"<|start_h"
      "eader_id|>system<|end_header_id|>\\n\\n\" }}\n{{- \"Cutting Knowledge Date: December "
      "2023\\n\" }}\n{{- \"Today Date: \" + date_string + \"\\n\\n\" }}\n{{- system_message "
      "}}\n{{- \"<|eot_id|>\" }}\n{%- for message in messages %}\n    {{- '<|start_header_id"
      "|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot"
      "_id|>' }}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|start_header_id"
      "|>assistant<|end_header_id|>\\n\\n' }}\n{%- endif %}\n",
      { "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2"
        "023\nToday Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>"
        "\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n<think>\nhm\n</"
        "think>\n\n  I am <b><|eot_id|><|start_header_id|>user<|end_header_id|>\n\nAnd?<|eot"
        "_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2"
        "023\nToday Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>"
        "\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n<think>\nhm\n</"
        "think>\n\n  I am <b><|eot_id|><|start_header_id|>user<|end_header_id|>\n\nAnd?<|eot"
        "_id|>",
        "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2"
        "023\nToday Date: 26 Jul 2024\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_hea"
        "der_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n<think>"
        "\nhm\n</think>\n\n  I am <b><|eot_id|><|start_header_id|>user<|end_header_id|>\n\nA"
        "nd?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2"
        "023\nToday Date: 26 Jul 2024\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_hea"
        "der_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n<think>"
        "\nhm\n</think>\n\n  I am <b><|eot_id|><|start_header_id|>user<|end_header_id|>\n\nA"
        "nd?<|eot_id|>",
        "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2"
        "023\nToday Date: 26 Jul 2024\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_hea"
        "der_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2"
        "023\nToday Date: 26 Jul 2024\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_hea"
        "der_id|>\n\nHello<|eot_id|>",
        "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2"
        "023\nToday Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>"
        "\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n<think>\nhm\n</"
        "think>\n\n  I am <b><|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2"
        "023\nToday Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>"
        "\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n<think>\nhm\n</"
        "think>\n\n  I am <b><|eot_id|>" } },
    { "Llama 2",
      "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set "
      "system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %"
      "}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if ("
      "message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversati"
      "on roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.i"
      "ndex0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_messa"
      "ge + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['c"
      "ontent'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + co"
      "ntent.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + conten"
      "t.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
      { "<s>[INST] Hello [/INST] <think>\nhm\n</think>\n\n  I am <b> </s><s>[INST] And? [/IN"
        "ST]",
        "<s>[INST] Hello [/INST] <think>\nhm\n</think>\n\n  I am <b> </s><s>[INST] And? [/IN"
        "ST]",
        "<s>[INST] <<SYS>>\n Be brief. \n<</SYS>>\n\n Hello [/INST] <think>\nhm\n</think>\n"
        "\n  I am <b> </s><s>[INST] And? [/INST]",
        "<s>[INST] <<SYS>>\n Be brief. \n<</SYS>>\n\n Hello [/INST] <think>\nhm\n</think>\n"
        "\n  I am <b> </s><s>[INST] And? [/INST]",
        "<s>[INST] <<SYS>>\n Be brief. \n<</SYS>>\n\n Hello [/INST]",
        "<s>[INST] <<SYS>>\n Be brief. \n<</SYS>>\n\n Hello [/INST]",
        "<s>[INST] Hello [/INST] <think>\nhm\n</think>\n\n  I am <b> </s>",
        "<s>[INST] Hello [/INST] <think>\nhm\n</think>\n\n  I am <b> </s>" } },
    { "Mistral 7B v0.2",
      "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loo"
      "p.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assis"
      "tant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] '"
      " + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ mess"
      "age['content'] + eos_token}}{% else %}{{ raise_exception('Only user and assistant rol"
      "es are supported!') }}{% endif %}{% endfor %}",
      { "<s>[INST]  Hello\n [/INST]<think>\nhm\n</think>\n\n  I am <b>  </s>[INST] And? [/IN"
        "ST]",
        "<s>[INST]  Hello\n [/INST]<think>\nhm\n</think>\n\n  I am <b>  </s>[INST] And? [/IN"
        "ST]",
        NULL, NULL, NULL, NULL,
        "<s>[INST]  Hello\n [/INST]<think>\nhm\n</think>\n\n  I am <b>  </s>",
        "<s>[INST]  Hello\n [/INST]<think>\nhm\n</think>\n\n  I am <b>  </s>" } },
    { "Mistral 7B v0.1",
      "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loo"
      "p.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assis"
      "tant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] '"
      " + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ mess"
      "age['content'] + eos_token + ' ' }}{% else %}{{ raise_exception('Only user and assist"
      "ant roles are supported!') }}{% endif %}{% endfor %}",
      { "<s>[INST]  Hello\n [/INST]<think>\nhm\n</think>\n\n  I am <b>  </s> [INST] And? [/I"
        "NST]",
        "<s>[INST]  Hello\n [/INST]<think>\nhm\n</think>\n\n  I am <b>  </s> [INST] And? [/I"
        "NST]",
        NULL, NULL, NULL, NULL,
        "<s>[INST]  Hello\n [/INST]<think>\nhm\n</think>\n\n  I am <b>  </s> ",
        "<s>[INST]  Hello\n [/INST]<think>\nhm\n</think>\n\n  I am <b>  </s> " } },
    { "Mistral v1",
      "{%- if messages[0]['role'] == 'system' %}\n    {%- set system_message = messages[0]['"
      "content'] %}\n    {%- set loop_messages = messages[1:] %}\n{%- else %}\n    {%- set l"
      "oop_messages = messages %}\n{%- endif %}\n\n{{- bos_token }}\n{%- for message in loop"
      "_messages %}\n    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\n  "
      "      {{- raise_exception('roles must alternate') }}\n    {%- endif %}\n    {%- if me"
      "ssage['role'] == 'user' %}\n        {%- if loop.first and system_message is defined %"
      "}\n            {{- ' [INST] ' + system_message + '\\n\\n' + message['content'] + ' [/"
      "INST]' }}\n        {%- else %}\n            {{- ' [INST] ' + message['content'] + ' ["
      "/INST]' }}\n        {%- endif %}\n    {%- elif message['role'] == 'assistant' %}\n   "
      "     {{- ' ' + message['content'] + eos_token}}\n    {%- endif %}\n{%- endfor %}\n",
      { "<s> [INST]  Hello\n [/INST] <think>\nhm\n</think>\n\n  I am <b>  </s> [INST] And? ["
        "/INST]",
        "<s> [INST]  Hello\n [/INST] <think>\nhm\n</think>\n\n  I am <b>  </s> [INST] And? ["
        "/INST]",
        "<s> [INST]  Be brief. \n\n Hello\n [/INST] <think>\nhm\n</think>\n\n  I am <b>  </s"
        "> [INST] And? [/INST]",
        "<s> [INST]  Be brief. \n\n Hello\n [/INST] <think>\nhm\n</think>\n\n  I am <b>  </s"
        "> [INST] And? [/INST]",
        "<s> [INST]  Be brief. \n\n Hello\n [/INST]",
        "<s> [INST]  Be brief. \n\n Hello\n [/INST]",
        "<s> [INST]  Hello\n [/INST] <think>\nhm\n</think>\n\n  I am <b>  </s>",
        "<s> [INST]  Hello\n [/INST] <think>\nhm\n</think>\n\n  I am <b>  </s>" } },
    { "Mistral v3",
      "{%- if messages[0]['role'] == 'system' %}\n    {%- set system_message = messages[0]['"
      "content'] %}\n    {%- set loop_messages = messages[1:] %}\n{%- else %}\n    {%- set l"
      "oop_messages = messages %}\n{%- endif %}\n\n{{- bos_token }}\n{%- for message in loop"
      "_messages %}\n    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\n  "
      "      {{- raise_exception('roles must alternate') }}\n    {%- endif %}\n    {%- if me"
      "ssage['role'] == 'user' %}\n        {%- if loop.last and system_message is defined %}"
      "\n            {{- \"[INST] \" + system_message + '\\n\\n' + message[\"content\"] + \""
      "[/INST]\" }}\n        {%- else %}\n            {{- \"[INST] \" + message[\"content\"]"
      " + \"[/INST]\" }}\n        {%- endif %}\n    {%- elif message['role'] == 'assistant' "
      "%}\n        {{- \" \" + message[\"content\"]|trim + eos_token}}\n    {%- endif %}\n{%"
      "- endfor %}\n",
      { "<s>[INST]  Hello\n[/INST] <think>\nhm\n</think>\n\n  I am <b></s>[INST] And?[/INST]",
        "<s>[INST]  Hello\n[/INST] <think>\nhm\n</think>\n\n  I am <b></s>[INST] And?[/INST]",
        "<s>[INST]  Hello\n[/INST] <think>\nhm\n</think>\n\n  I am <b></s>[INST]  Be brief. "
        "\n\nAnd?[/INST]",
        "<s>[INST]  Hello\n[/INST] <think>\nhm\n</think>\n\n  I am <b></s>[INST]  Be brief. "
        "\n\nAnd?[/INST]",
        "<s>[INST]  Be brief. \n\n Hello\n[/INST]", "<s>[INST]  Be brief. \n\n Hello\n[/INST]",
        "<s>[INST]  Hello\n[/INST] <think>\nhm\n</think>\n\n  I am <b></s>",
        "<s>[INST]  Hello\n[/INST] <think>\nhm\n</think>\n\n  I am <b></s>" } },
    { "Mistral v3-tekken",
      "{%- if messages[0]['role'] == 'system' %}\n    {%- set system_message = messages[0]['"
      "content'] %}\n    {%- set loop_messages = messages[1:] %}\n{%- else %}\n    {%- set l"
      "oop_messages = messages %}\n{%- endif %}\n\n{{- bos_token }}\n{%- for message in loop"
      "_messages %}\n    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\n  "
      "      {{- raise_exception('roles must alternate') }}\n    {%- endif %}\n    {%- if me"
      "ssage['role'] == 'user' %}\n        {%- if loop.last and system_message is defined %}"
      "\n            {{- \"[INST]\" + system_message + '\\n\\n' + message[\"content\"] + \"["
      "/INST]\" }}\n        {%- else %}\n            {{- \"[INST]\" + message[\"content\"] +"
      " \"[/INST]\" }}\n        {%- endif %}\n    {%- elif message['role'] == 'assistant' %}"
      "\n        {{- message[\"content\"] + eos_token}}\n    {%- endif %}\n{%- endfor %}\n",
      { "<s>[INST] Hello\n[/INST]<think>\nhm\n</think>\n\n  I am <b>  </s>[INST]And?[/INST]",
        "<s>[INST] Hello\n[/INST]<think>\nhm\n</think>\n\n  I am <b>  </s>[INST]And?[/INST]",
        "<s>[INST] Hello\n[/INST]<think>\nhm\n</think>\n\n  I am <b>  </s>[INST] Be brief. "
        "\n\nAnd?[/INST]",
        "<s>[INST] Hello\n[/INST]<think>\nhm\n</think>\n\n  I am <b>  </s>[INST] Be brief. "
        "\n\nAnd?[/INST]",
        "<s>[INST] Be brief. \n\n Hello\n[/INST]", "<s>[INST] Be brief. \n\n Hello\n[/INST]",
        "<s>[INST] Hello\n[/INST]<think>\nhm\n</think>\n\n  I am <b>  </s>",
        "<s>[INST] Hello\n[/INST]<think>\nhm\n</think>\n\n  I am <b>  </s>" } },
    { "Gemma",
      "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System rol"
      "e not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] =="
      " 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alte"
      "rnate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'ass"
      "istant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif"
      " %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n'"
      " }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}",
      { "<s><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\n<think>\nhm\n</th"
        "ink>\n\n  I am <b><end_of_turn>\n<start_of_turn>user\nAnd?<end_of_turn>\n<start_of_"
        "turn>model\n",
        "<s><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\n<think>\nhm\n</th"
        "ink>\n\n  I am <b><end_of_turn>\n<start_of_turn>user\nAnd?<end_of_turn>\n",
        NULL, NULL, NULL, NULL,
        "<s><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\n<think>\nhm\n</th"
        "ink>\n\n  I am <b><end_of_turn>\n<start_of_turn>model\n",
        "<s><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\n<think>\nhm\n</th"
        "ink>\n\n  I am <b><end_of_turn>\n" } },
    { "Gemma 3",
      "{{ bos_token }}\n{%- if messages[0]['role'] == 'system' -%}\n    {%- set first_user_p"
      "refix = messages[0]['content'] + '\n\n' -%}\n    {%- set loop_messages = messages[1:]"
      " -%}\n{%- else -%}\n    {%- set first_user_prefix = \"\" -%}\n    {%- set loop_messag"
      "es = messages -%}\n{%- endif -%}\n{%- for message in loop_messages -%}\n    {%- if (m"
      "essage['role'] == 'user') != (loop.index0 % 2 == 0) -%}\n        {{ raise_exception("
      "\"Conversation roles must alternate user/assistant/user/assistant/...\") }}\n    {%- "
      "endif -%}\n    {%- if (message['role'] == 'assistant') -%}\n        {%- set role = \""
      "model\" -%}\n    {%- else -%}\n        {%- set role = message['role'] -%}\n    {%- en"
      "dif -%}\n    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first el"
      "se \"\") }}\n    {%- if message['content'] is string -%}\n        {{ message['content"
      "'] | trim }}\n    {%- endif -%}\n    {{ '<end_of_turn>\n' }}\n{%- endfor -%}\n{%- if "
      "add_generation_prompt -%}\n    {{'<start_of_turn>model\n'}}\n{%- endif -%}\n",
      { "<s><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\n<think>\nhm\n</th"
        "ink>\n\n  I am <b><end_of_turn>\n<start_of_turn>user\nAnd?<end_of_turn>\n<start_of_"
        "turn>model\n",
        "<s><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\n<think>\nhm\n</th"
        "ink>\n\n  I am <b><end_of_turn>\n<start_of_turn>user\nAnd?<end_of_turn>\n",
        "<s><start_of_turn>user\n Be brief. \n\nHello<end_of_turn>\n<start_of_turn>model\n<t"
        "hink>\nhm\n</think>\n\n  I am <b><end_of_turn>\n<start_of_turn>user\nAnd?<end_of_tu"
        "rn>\n<start_of_turn>model\n",
        "<s><start_of_turn>user\n Be brief. \n\nHello<end_of_turn>\n<start_of_turn>model\n<t"
        "hink>\nhm\n</think>\n\n  I am <b><end_of_turn>\n<start_of_turn>user\nAnd?<end_of_tu"
        "rn>\n",
        "<s><start_of_turn>user\n Be brief. \n\nHello<end_of_turn>\n<start_of_turn>model\n",
        "<s><start_of_turn>user\n Be brief. \n\nHello<end_of_turn>\n",
        "<s><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\n<think>\nhm\n</th"
        "ink>\n\n  I am <b><end_of_turn>\n<start_of_turn>model\n",
        "<s><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\n<think>\nhm\n</th"
        "ink>\n\n  I am <b><end_of_turn>\n" } },
    { "Zephyr",
      "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + "
      "message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n{{ '<|syst"
      "em|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %"
      "}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n{% if loop"
      ".last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
      { "<|user|>\n Hello\n</s>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  </s>\n<"
        "|user|>\nAnd?</s>\n<|assistant|>\n",
        "<|user|>\n Hello\n</s>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  </s>\n<"
        "|user|>\nAnd?</s>\n",
        "<|system|>\n Be brief. </s>\n<|user|>\n Hello\n</s>\n<|assistant|>\n<think>\nhm\n</"
        "think>\n\n  I am <b>  </s>\n<|user|>\nAnd?</s>\n<|assistant|>\n",
        "<|system|>\n Be brief. </s>\n<|user|>\n Hello\n</s>\n<|assistant|>\n<think>\nhm\n</"
        "think>\n\n  I am <b>  </s>\n<|user|>\nAnd?</s>\n",
        "<|system|>\n Be brief. </s>\n<|user|>\n Hello\n</s>\n<|assistant|>\n",
        "<|system|>\n Be brief. </s>\n<|user|>\n Hello\n</s>\n",
        "<|user|>\n Hello\n</s>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  </s>\n<"
        "|assistant|>\n",
        "<|user|>\n Hello\n</s>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  "
        "</s>\n" } },
    { "Phi-3 of April 2024",
      "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') %}{{'<|"
      "user|>' + '\n' + message['content'] + '<|end|>' + '\n' + '<|assistant|>' + '\n'}}{% e"
      "lif (message['role'] == 'assistant') %}{{message['content'] + '<|end|>' + '\n'}}{% en"
      "dif %}{% endfor %}",
      { "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <"
        "|end|>\n<|user|>\nAnd?<|end|>\n<|assistant|>\n",
        "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <"
        "|end|>\n<|user|>\nAnd?<|end|>\n<|assistant|>\n",
        "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <"
        "|end|>\n<|user|>\nAnd?<|end|>\n<|assistant|>\n",
        "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <"
        "|end|>\n<|user|>\nAnd?<|end|>\n<|assistant|>\n",
        "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n",
        "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n",
        "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <"
        "|end|>\n",
        "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <"
        "|end|>\n" } },
    { "Phi-3",
      "{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + m"
      "essage['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\n' +"
      " message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}{{'<|assi"
      "stant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}{% if add_gener"
      "ation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
      { "<|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <|en"
        "d|>\n<|user|>\nAnd?<|end|>\n<|assistant|>\n",
        "<|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <|en"
        "d|>\n<|user|>\nAnd?<|end|>\n</s>",
        "<|system|>\n Be brief. <|end|>\n<|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\n"
        "hm\n</think>\n\n  I am <b>  <|end|>\n<|user|>\nAnd?<|end|>\n<|assistant|>\n",
        "<|system|>\n Be brief. <|end|>\n<|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\n"
        "hm\n</think>\n\n  I am <b>  <|end|>\n<|user|>\nAnd?<|end|>\n</s>",
        "<|system|>\n Be brief. <|end|>\n<|user|>\n Hello\n<|end|>\n<|assistant|>\n",
        "<|system|>\n Be brief. <|end|>\n<|user|>\n Hello\n<|end|>\n</s>",
        "<|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <|en"
        "d|>\n<|assistant|>\n",
        "<|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <|en"
        "d|>\n</s>" } },
    { "Phi-3 small",
      "{{ bos_token }}{% for message in messages %}{{'<|' + message['role'] + '|>' + '\n' + "
      "message['content'] + '<|end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|as"
      "sistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
      { "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <"
        "|end|>\n<|user|>\nAnd?<|end|>\n<|assistant|>\n",
        "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <"
        "|end|>\n<|user|>\nAnd?<|end|>\n</s>",
        "<s><|system|>\n Be brief. <|end|>\n<|user|>\n Hello\n<|end|>\n<|assistant|>\n<think"
        ">\nhm\n</think>\n\n  I am <b>  <|end|>\n<|user|>\nAnd?<|end|>\n<|assistant|>\n",
        "<s><|system|>\n Be brief. <|end|>\n<|user|>\n Hello\n<|end|>\n<|assistant|>\n<think"
        ">\nhm\n</think>\n\n  I am <b>  <|end|>\n<|user|>\nAnd?<|end|>\n</s>",
        "<s><|system|>\n Be brief. <|end|>\n<|user|>\n Hello\n<|end|>\n<|assistant|>\n",
        "<s><|system|>\n Be brief. <|end|>\n<|user|>\n Hello\n<|end|>\n</s>",
        "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <"
        "|end|>\n<|assistant|>\n",
        "<s><|user|>\n Hello\n<|end|>\n<|assistant|>\n<think>\nhm\n</think>\n\n  I am <b>  <"
        "|end|>\n</s>" } },
    { "Phi-4-mini",
      "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + "
      "'<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}"
      "{{ eos_token }}{% endif %}",
      { "<|user|> Hello\n<|end|><|assistant|><think>\nhm\n</think>\n\n  I am <b>  <|end|><|u"
        "ser|>And?<|end|><|assistant|>",
        "<|user|> Hello\n<|end|><|assistant|><think>\nhm\n</think>\n\n  I am <b>  <|end|><|u"
        "ser|>And?<|end|></s>",
        "<|system|> Be brief. <|end|><|user|> Hello\n<|end|><|assistant|><think>\nhm\n</thin"
        "k>\n\n  I am <b>  <|end|><|user|>And?<|end|><|assistant|>",
        "<|system|> Be brief. <|end|><|user|> Hello\n<|end|><|assistant|><think>\nhm\n</thin"
        "k>\n\n  I am <b>  <|end|><|user|>And?<|end|></s>",
        "<|system|> Be brief. <|end|><|user|> Hello\n<|end|><|assistant|>",
        "<|system|> Be brief. <|end|><|user|> Hello\n<|end|></s>",
        "<|user|> Hello\n<|end|><|assistant|><think>\nhm\n</think>\n\n  I am <b>  <|end|><|a"
        "ssistant|>",
        "<|user|> Hello\n<|end|><|assistant|><think>\nhm\n</think>\n\n  I am <b>  <|end|></s"
        ">" } },
    { "Phi-4",
      "{% for message in messages %}{% if (message['role'] == 'system') %}{{'<|im_start|>sys"
      "tem<|im_sep|>' + message['content'] + '<|im_end|>'}}{% elif (message['role'] == 'user"
      "') %}{{'<|im_start|>user<|im_sep|>' + message['content'] + '<|im_end|>'}}{% elif (mes"
      "sage['role'] == 'assistant') %}{{'<|im_start|>assistant<|im_sep|>' + message['content"
      "'] + '<|im_end|>'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_star"
      "t|>assistant<|im_sep|>' }}{% endif %}",
      { "<|im_start|>user<|im_sep|> Hello\n<|im_end|><|im_start|>assistant<|im_sep|><think>"
        "\nhm\n</think>\n\n  I am <b>  <|im_end|><|im_start|>user<|im_sep|>And?<|im_end|><|i"
        "m_start|>assistant<|im_sep|>",
        "<|im_start|>user<|im_sep|> Hello\n<|im_end|><|im_start|>assistant<|im_sep|><think>"
        "\nhm\n</think>\n\n  I am <b>  <|im_end|><|im_start|>user<|im_sep|>And?<|im_end|>",
        "<|im_start|>system<|im_sep|> Be brief. <|im_end|><|im_start|>user<|im_sep|> Hello\n"
        "<|im_end|><|im_start|>assistant<|im_sep|><think>\nhm\n</think>\n\n  I am <b>  <|im_"
        "end|><|im_start|>user<|im_sep|>And?<|im_end|><|im_start|>assistant<|im_sep|>",
        "<|im_start|>system<|im_sep|> Be brief. <|im_end|><|im_start|>user<|im_sep|> Hello\n"
        "<|im_end|><|im_start|>assistant<|im_sep|><think>\nhm\n</think>\n\n  I am <b>  <|im_"
        "end|><|im_start|>user<|im_sep|>And?<|im_end|>",
        "<|im_start|>system<|im_sep|> Be brief. <|im_end|><|im_start|>user<|im_sep|> Hello\n"
        "<|im_end|><|im_start|>assistant<|im_sep|>",
        "<|im_start|>system<|im_sep|> Be brief. <|im_end|><|im_start|>user<|im_sep|> Hello\n"
        "<|im_end|>",
        "<|im_start|>user<|im_sep|> Hello\n<|im_end|><|im_start|>assistant<|im_sep|><think>"
        "\nhm\n</think>\n\n  I am <b>  <|im_end|><|im_start|>assistant<|im_sep|>",
        "<|im_start|>user<|im_sep|> Hello\n<|im_end|><|im_start|>assistant<|im_sep|><think>"
        "\nhm\n</think>\n\n  I am <b>  <|im_end|>" } },
    { "Command R",
      "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set loop_messages = message"
      "s[1:] %}{% set system_message = messages[0]['content'] %}{% elif false == true %}{% s"
      "et loop_messages = messages %}{% set system_message = 'You are Command-R, a brilliant"
      ", sophisticated, AI-assistant.' %}{% else %}{% set loop_messages = messages %}{% set "
      "system_message = false %}{% endif %}{% if system_message != false %}{{ '<|START_OF_TU"
      "RN_TOKEN|><|SYSTEM_TOKEN|>' + system_message + '<|END_OF_TURN_TOKEN|>' }}{% endif %}{"
      "% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % "
      "2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/a"
      "ssistant/...') }}{% endif %}{% set content = message['content'] %}{% if message['role"
      "'] == 'user' %}{{ '<|START_OF_TURN_TOKEN|><|USER_TOKEN|>' + content.strip() + '<|END_"
      "OF_TURN_TOKEN|>' }}{% elif message['role'] == 'assistant' %}{{ '<|START_OF_TURN_TOKEN"
      "|><|CHATBOT_TOKEN|>'  + content.strip() + '<|END_OF_TURN_TOKEN|>' }}{% endif %}{% end"
      "for %}{% if add_generation_prompt %}{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' }}{"
      "% endif %}",
      { "<s><|START_OF_TURN_TOKEN|><|USER_TOKEN|>Hello<|END_OF_TURN_TOKEN|><|START_OF_TURN_T"
        "OKEN|><|CHATBOT_TOKEN|><think>\nhm\n</think>\n\n  I am <b><|END_OF_TURN_TOKEN|><|ST"
        "ART_OF_TURN_TOKEN|><|USER_TOKEN|>And?<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|"
        "CHATBOT_TOKEN|>",
        "<s><|START_OF_TURN_TOKEN|><|USER_TOKEN|>Hello<|END_OF_TURN_TOKEN|><|START_OF_TURN_T"
        "OKEN|><|CHATBOT_TOKEN|><think>\nhm\n</think>\n\n  I am <b><|END_OF_TURN_TOKEN|><|ST"
        "ART_OF_TURN_TOKEN|><|USER_TOKEN|>And?<|END_OF_TURN_TOKEN|>",
        "<s><|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|> Be brief. <|END_OF_TURN_TOKEN|><|START_O"
        "F_TURN_TOKEN|><|USER_TOKEN|>Hello<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHAT"
        "BOT_TOKEN|><think>\nhm\n</think>\n\n  I am <b><|END_OF_TURN_TOKEN|><|START_OF_TURN_"
        "TOKEN|><|USER_TOKEN|>And?<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKE"
        "N|>",
        "<s><|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|> Be brief. <|END_OF_TURN_TOKEN|><|START_O"
        "F_TURN_TOKEN|><|USER_TOKEN|>Hello<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHAT"
        "BOT_TOKEN|><think>\nhm\n</think>\n\n  I am <b><|END_OF_TURN_TOKEN|><|START_OF_TURN_"
        "TOKEN|><|USER_TOKEN|>And?<|END_OF_TURN_TOKEN|>",
        "<s><|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|> Be brief. <|END_OF_TURN_TOKEN|><|START_O"
        "F_TURN_TOKEN|><|USER_TOKEN|>Hello<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHAT"
        "BOT_TOKEN|>",
        "<s><|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|> Be brief. <|END_OF_TURN_TOKEN|><|START_O"
        "F_TURN_TOKEN|><|USER_TOKEN|>Hello<|END_OF_TURN_TOKEN|>",
        "<s><|START_OF_TURN_TOKEN|><|USER_TOKEN|>Hello<|END_OF_TURN_TOKEN|><|START_OF_TURN_T"
        "OKEN|><|CHATBOT_TOKEN|><think>\nhm\n</think>\n\n  I am <b><|END_OF_TURN_TOKEN|><|ST"
        "ART_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
        "<s><|START_OF_TURN_TOKEN|><|USER_TOKEN|>Hello<|END_OF_TURN_TOKEN|><|START_OF_TURN_T"
        "OKEN|><|CHATBOT_TOKEN|><think>\nhm\n</think>\n\n  I am <b><|END_OF_TURN_TOKEN|>" } },
    { "DeepSeek V2",
      "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{"
      "% endif %}{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user'"
      " %}{{ 'User: ' + message['content'] + '\n\n' }}{% elif message['role'] == 'assistant'"
      " %}{{ 'Assistant: ' + message['content'] + eos_token }}{% elif message['role'] == 'sy"
      "stem' %}{{ message['content'] + '\n\n' }}{% endif %}{% endfor %}{% if add_generation_"
      "prompt %}{{ 'Assistant:' }}{% endif %}",
      { "<s>User:  Hello\n\n\nAssistant: <think>\nhm\n</think>\n\n  I am <b>  </s>User: And?"
        "\n\nAssistant:",
        "<s>User:  Hello\n\n\nAssistant: <think>\nhm\n</think>\n\n  I am <b>  </s>User: And?"
        "\n\n",
        "<s> Be brief. \n\nUser:  Hello\n\n\nAssistant: <think>\nhm\n</think>\n\n  I am <b> "
        " </s>User: And?\n\nAssistant:",
        "<s> Be brief. \n\nUser:  Hello\n\n\nAssistant: <think>\nhm\n</think>\n\n  I am <b> "
        " </s>User: And?\n\n",
        "<s> Be brief. \n\nUser:  Hello\n\n\nAssistant:",
        "<s> Be brief. \n\nUser:  Hello\n\n\n",
        "<s>User:  Hello\n\n\nAssistant: <think>\nhm\n</think>\n\n  I am <b>  </s>Assistant:",
        "<s>User:  Hello\n\n\nAssistant: <think>\nhm\n</think>\n\n  I am <b>  </s>" } },
    { "OpenChat",
      "{{ bos_token }}{% for message in messages %}{{ 'GPT4 Correct ' + message['role'].titl"
      "e() + ': ' + message['content'] + '<|end_of_turn|>'}}{% endfor %}{% if add_generation"
      "_prompt %}{{ 'GPT4 Correct Assistant:' }}{% endif %}",
      { "<s>GPT4 Correct User:  Hello\n<|end_of_turn|>GPT4 Correct Assistant: <think>\nhm\n<"
        "/think>\n\n  I am <b>  <|end_of_turn|>GPT4 Correct User: And?<|end_of_turn|>GPT4 Co"
        "rrect Assistant:",
        "<s>GPT4 Correct User:  Hello\n<|end_of_turn|>GPT4 Correct Assistant: <think>\nhm\n<"
        "/think>\n\n  I am <b>  <|end_of_turn|>GPT4 Correct User: And?<|end_of_turn|>",
        "<s>GPT4 Correct System:  Be brief. <|end_of_turn|>GPT4 Correct User:  Hello\n<|end_"
        "of_turn|>GPT4 Correct Assistant: <think>\nhm\n</think>\n\n  I am <b>  <|end_of_turn"
        "|>GPT4 Correct User: And?<|end_of_turn|>GPT4 Correct Assistant:",
        "<s>GPT4 Correct System:  Be brief. <|end_of_turn|>GPT4 Correct User:  Hello\n<|end_"
        "of_turn|>GPT4 Correct Assistant: <think>\nhm\n</think>\n\n  I am <b>  <|end_of_turn"
        "|>GPT4 Correct User: And?<|end_of_turn|>",
        "<s>GPT4 Correct System:  Be brief. <|end_of_turn|>GPT4 Correct User:  Hello\n<|end_"
        "of_turn|>GPT4 Correct Assistant:",
        "<s>GPT4 Correct System:  Be brief. <|end_of_turn|>GPT4 Correct User:  Hello\n<|end_"
        "of_turn|>",
        "<s>GPT4 Correct User:  Hello\n<|end_of_turn|>GPT4 Correct Assistant: <think>\nhm\n<"
        "/think>\n\n  I am <b>  <|end_of_turn|>GPT4 Correct Assistant:",
        "<s>GPT4 Correct User:  Hello\n<|end_of_turn|>GPT4 Correct Assistant: <think>\nhm\n<"
        "/think>\n\n  I am <b>  <|end_of_turn|>" } },
    { "Granite 3.0",
      "{%- for message in messages %}\n    {%- if message['role'] == 'system' %}\n    {{- '<"
      "|start_of_role|>system<|end_of_role|>' + message['content'] + '<|end_of_text|>\n' }}"
      "\n    {%- elif message['role'] == 'user' %}\n    {{- '<|start_of_role|>user<|end_of_r"
      "ole|>' + message['content'] + '<|end_of_text|>\n' }}\n    {%- elif message['role'] =="
      " 'assistant' %}\n    {{- '<|start_of_role|>assistant<|end_of_role|>'  + message['cont"
      "ent'] + '<|end_of_text|>\n' }}\n    {%- endif %}\n    {%- if loop.last and add_genera"
      "tion_prompt %}\n    {{- '<|start_of_role|>assistant<|end_of_role|>' }}\n    {%- endif"
      " %}\n{%- endfor %}",
      { "<|start_of_role|>user<|end_of_role|> Hello\n<|end_of_text|>\n<|start_of_role|>assis"
        "tant<|end_of_role|><think>\nhm\n</think>\n\n  I am <b>  <|end_of_text|>\n<|start_of"
        "_role|>user<|end_of_role|>And?<|end_of_text|>\n<|start_of_role|>assistant<|end_of_r"
        "ole|>",
        "<|start_of_role|>user<|end_of_role|> Hello\n<|end_of_text|>\n<|start_of_role|>assis"
        "tant<|end_of_role|><think>\nhm\n</think>\n\n  I am <b>  <|end_of_text|>\n<|start_of"
        "_role|>user<|end_of_role|>And?<|end_of_text|>\n",
        "<|start_of_role|>system<|end_of_role|> Be brief. <|end_of_text|>\n<|start_of_role|>"
        "user<|end_of_role|> Hello\n<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role"
        "|><think>\nhm\n</think>\n\n  I am <b>  <|end_of_text|>\n<|start_of_role|>user<|end_"
        "of_role|>And?<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>",
        "<|start_of_role|>system<|end_of_role|> Be brief. <|end_of_text|>\n<|start_of_role|>"
        "user<|end_of_role|> Hello\n<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role"
        "|><think>\nhm\n</think>\n\n  I am <b>  <|end_of_text|>\n<|start_of_role|>user<|end_"
        "of_role|>And?<|end_of_text|>\n",
        "<|start_of_role|>system<|end_of_role|> Be brief. <|end_of_text|>\n<|start_of_role|>"
        "user<|end_of_role|> Hello\n<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role"
        "|>",
        "<|start_of_role|>system<|end_of_role|> Be brief. <|end_of_text|>\n<|start_of_role|>"
        "user<|end_of_role|> Hello\n<|end_of_text|>\n",
        "<|start_of_role|>user<|end_of_role|> Hello\n<|end_of_text|>\n<|start_of_role|>assis"
        "tant<|end_of_role|><think>\nhm\n</think>\n\n  I am <b>  <|end_of_text|>\n<|start_of"
        "_role|>assistant<|end_of_role|>",
        "<|start_of_role|>user<|end_of_role|> Hello\n<|end_of_text|>\n<|start_of_role|>assis"
        "tant<|end_of_role|><think>\nhm\n</think>\n\n  I am <b>  <|end_of_text|>\n" } },
};

TEST(chat_is_what_the_templates_say) {
    const struct chat_message talks[4][4] = { { hello, answer, more },
                                              { brief, hello, answer, more },
                                              { brief, hello },
                                              { hello, answer } };
    static const int counts[4] = { 3, 4, 2, 2 };
    struct arena *arena = check_arena();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = { 0 };
        const char *template = cases[i].template;
        struct chat_format *format = chat_find(arena, template, strlen(template), "t", &err);
        if (!check(format != NULL)) {
            check_same(cases[i].name, "");
            continue;
        }
        check_same(chat_name(format), cases[i].name);
        for (int k = 0; k < 8; k++) {
            struct chat_options options = { .begin = "<s>",
                                            .end = "</s>",
                                            .prompt = k % 2 == 0 };
            const char *text =
                chat_text(arena, format, talks[k / 2], counts[k / 2], &options, &err);
            check_same(text ? text : "(refused)",
                       cases[i].texts[k] ? cases[i].texts[k] : "(refused)");
        }
    }
}

TEST(chat_refuses_what_it_does_not_know) {
    static const char *const templates[] = {
        "",
        "{{ messages }}",
        "{% for m in messages %}{{ bos_token + m['role'] + '\\n' + m['content'] }}{% endfor %}",
        "{{ '<|im_start|>' + message['role'] }}<|im_end|>{{ '<think>' }}",
    };
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        struct err err = { 0 };
        check(!chat_find(check_arena(), templates[i], strlen(templates[i]), "x.json", &err));
        check_int(err.kind, ERR_UNSUPPORTED);
        check_text(err.text, "x.json: its chat template");
        check_text(err.text, "Llama 3");
    }
}

TEST(chat_says_what_a_format_cannot) {
    struct arena *arena = check_arena();
    struct chat_options options = { .begin = "<s>", .end = "</s>" };
    const struct chat_message twice[] = { hello, more }, system[] = { brief, hello };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = { 0 };
        const char *template = cases[i].template;
        struct chat_format *format = chat_find(arena, template, strlen(template), "t", &err);
        if (format && strcmp(cases[i].name, "Gemma") == 0) {
            check(!chat_text(arena, format, twice, 2, &options, &err));
            check_text(err.text, "message 2 is another's");
            check(!chat_text(arena, format, system, 2, &options, &err));
            check_text(err.text, "Gemma has no system message");
        }
        if (format && strcmp(cases[i].name, "Llama 3.1") == 0) {
            options.date = "01 Jan 2030";
            check_text(chat_text(arena, format, system, 2, &options, &err),
                       "Today Date: 01 Jan 2030\n");
        }
    }
}

/* Blanks are all that Unicode has, and the separators that Python counts with them. */
TEST(chat_trims_every_blank) {
    struct arena *arena = check_arena();
    struct chat_options options = { .begin = "<s>", .end = "</s>" };
    const struct chat_message talk[] = { { CHAT_USER,
                                           "\u3000\x1f Hi\u00a0\u3000 you\u2003\n" } };
    const struct chat_message blank[] = { { CHAT_USER, "\u3000\u00a0" } };
    int seen = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = { 0 };
        const char *template = cases[i].template;
        struct chat_format *format = chat_find(arena, template, strlen(template), "t", &err);
        if (format && strcmp(cases[i].name, "Gemma") == 0) {
            seen++;
            check_text(chat_text(arena, format, talk, 1, &options, &err),
                       "user\nHi\u00a0\u3000 you<end_of_turn>");
            check_text(chat_text(arena, format, blank, 1, &options, &err),
                       "user\n<end_of_turn>");
        }
        if (format && strcmp(cases[i].name, "Llama 2") == 0) {
            const struct chat_message both[] = { { CHAT_SYSTEM, "S" }, talk[0] };
            seen++;
            check_text(chat_text(arena, format, both, 2, &options, &err),
                       "<</SYS>>\n\n\u3000\x1f Hi\u00a0\u3000 you [/INST]");
        }
    }
    check(seen >= 2);
}
