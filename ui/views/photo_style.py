"""How «Try a photo» looks: style sheets of its images, cards and portraits."""

STYLE = """
<style>
.lw-photo {margin: 0 0 .3rem 0; overflow-wrap: anywhere}
.lw-photo span {opacity: .75; font-size: .88rem}
.lw-seen {max-width: 100%; max-height: 34rem; border-radius: .3rem; display: block}
.lw-crops {display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: .8rem}
.lw-crop {border: 1px solid rgba(128,140,140,.3); border-radius: .6rem; padding: .6rem .7rem; max-width: 26rem}
.lw-crop h4 {margin: 0 0 .3rem 0; padding: 0; font-size: 1rem; font-weight: 600}
.lw-crop p {margin: .4rem 0 0 0; font-size: .85rem; line-height: 1.4; opacity: .85}
</style>
"""
STRIP = """
<style>
.lw-strip {display: flex; flex-wrap: wrap; gap: .5rem}
.lw-strip figure {margin: 0; text-align: center}
.lw-strip img {height: 4.6rem; border-radius: .3rem; display: block}
.lw-strip figcaption {font-size: .8rem; opacity: .75}
</style>
"""
