use super::*;

const CHATML: &str = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + \
message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}\
{{ '<|im_start|>assistant\n' }}{% endif %}";

fn render(source: &str, messages: &[(&str, &str)]) -> Result<String> {
    ChatTemplate::compile(source)?.render(messages, "<s>", "</s>")
}

#[test]
fn chatml_renders_as_published() {
    assert_eq!(
        render(
            CHATML,
            &[("system", "Be brief."), ("user", "2 < 3 & \"x\"?")]
        )
        .unwrap(),
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n2 < 3 & \"x\"?<|im_end|>\n\
         <|im_start|>assistant\n"
    );
}

#[test]
fn a_template_can_refuse_and_its_words_are_kept() {
    let source = "{% if messages[0].role != 'user' %}{{ raise_exception('start with user') }}\
                  {% endif %}";
    assert_eq!(
        render(source, &[("assistant", "x")]),
        Err(Error::Template("start with user".into()))
    );
    assert_eq!(render(source, &[("user", "x")]), Ok(String::new()));
}

#[test]
fn blocks_are_trimmed_as_in_python() {
    let source = "{%- for m in messages %}\n    {%- if m.role == 'user' %}\n{{ m.content }}\n    \
                  {% endif %}\n{% endfor %}\nend";
    assert_eq!(
        render(source, &[("user", "a"), ("user", "b")]).unwrap(),
        "a\nb\nend"
    );
}

#[test]
fn python_methods_are_there() {
    let source = "{{ messages[0].content.strip().upper() }}|{{ messages[0].get('x', 'none') }}|\
                  {{ 'a,b'.split(',')[1] }}|{{ 'ab'.startswith('a') }}|{{ 'xax'.strip('x') }}|\
                  {{ 'aba'.replace('a', 'c') }}|{{ bos_token }}{{ eos_token }}";
    assert_eq!(
        render(source, &[("user", " hi ")]).unwrap(),
        "HI|none|b|True|a|cbc|<s></s>"
    );
}

#[test]
fn text_of_a_message_is_never_run() {
    let text = "{{ raise_exception('x') }}{% if %}";
    assert!(render(CHATML, &[("user", text)]).unwrap().contains(text));
}

#[test]
fn broken_templates_are_errors() {
    assert!(matches!(
        ChatTemplate::compile("{% for %}"),
        Err(Error::Malformed(_))
    ));
    assert!(matches!(
        render("{{ messages[0].content.zap() }}", &[("user", "")]),
        Err(Error::Template(_))
    ));
    assert!(matches!(
        render("{{ 1 + messages }}", &[]),
        Err(Error::Template(_))
    ));
}
